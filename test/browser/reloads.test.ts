// Five tabs that write all the time and are reloaded, closed and opened at random. What each of them is told is compared
// with what is found in the end.
import type { Page } from 'puppeteer-core'
import { expect, it, onTestFinished } from 'vitest'
import { browserNames } from '../../scripts/browsers.mjs'
import { Random } from '../support/random.ts'
import { newProfile, startBrowser } from './browser.ts'
import { bundleForBrowser } from './in-browser.ts'
import { recordRun } from '../support/record.ts'
import type { ReloadFindings, ReloadReport } from './reload-program.ts'
import { serve } from './server.ts'

/** RELOAD_SECONDS is for the long form. */
const seconds = Number(process.env.RELOAD_SECONDS ?? 6)
const seed = Number(process.env.RELOAD_SEED ?? 1)
const tabCount = 5

const page = '<!doctype html><script type="module" src="/reload-program.js"></script>'

it.each(browserNames)(
  `five tabs of %s, reloaded at random, lose no write and do none twice (seed ${seed})`,
  { timeout: 120_000 + seconds * 3_000 },
  async name => {
    const heard = new Reports()
    const files = await bundleForBrowser([new URL('./reload-program.ts', import.meta.url)])
    const server = await serve({ files: { ...files, '/index.html': page }, onReport: report => heard.take(report) })
    onTestFinished(() => server.close())
    const profile = await newProfile()
    onTestFinished(() => profile.remove())
    const browser = await startBrowser(name, profile)
    onTestFinished(() => browser.close())

    const random = new Random(seed)
    const tabs: Page[] = []
    for (let i = 0; i < tabCount; i++) tabs.push(await browser.open(server.origin))
    let reloads = 0
    let replacements = 0
    const endMs = performance.now() + seconds * 1_000
    while (performance.now() < endMs) {
      await heard.further(1 + random.below(40))
      const at = random.below(tabCount)
      if (random.chance(0.3)) {
        await tabs[at]?.close()
        tabs[at] = await browser.open(server.origin)
        replacements++
      } else {
        await tabs[at]?.reload()
        reloads++
      }
    }
    // No tab hangs: those that live now all write on.
    const lives = await Promise.all(tabs.map(tab => tab.waitForFunction(() => Reflect.get(globalThis, 'life'))))
    await heard.furtherOfEach(await Promise.all(lives.map(life => life.jsonValue())))
    await Promise.all(tabs.map(tab => tab.close()))

    const last = await browser.open(`${server.origin}/?findings`)
    await last.waitForFunction(() => 'findings' in globalThis)
    const found: unknown = await last.evaluate(() => Reflect.apply(Reflect.get(globalThis, 'findings'), undefined, []))
    if (!isFindings(found)) throw new Error(`the last tab finds ${JSON.stringify(found)}`)
    const names = Object.keys(found.writes)
    expect(heard.failures).toEqual([])
    expect({ problems: found.problems, locks: found.locks }).toEqual({ problems: 0, locks: 0 })
    expect([...heard.acknowledged].filter(write => found.writes[write] === undefined)).toEqual([])
    expect(names.filter(write => found.writes[write] !== 1)).toEqual([])
    expect(found.total).toBe(names.length)
    expect(names.filter(write => !heard.acknowledged.has(write) && !heard.mayBeThere(write))).toEqual([])
    recordRun(`tabs-${name}`, {
      browser: browser.version,
      seed,
      seconds,
      tabs: tabCount,
      reloads,
      replacements,
      acknowledged: heard.acknowledged.size,
      withoutAnswer: heard.lost.size,
      found: names.length,
      lost: 0,
      doubled: 0
    })
  }
)

/** What the tabs have told. */
class Reports {
  readonly acknowledged = new Set<string>()
  /** Writes of which a tab was told that nobody knows whether they were done. */
  readonly lost = new Set<string>()
  readonly failures: string[] = []
  /** The newest number that each life has told of. */
  readonly #newest = new Map<string, number>()
  #watch: ((life: string) => void) | undefined
  #giveUp: ((error: Error) => void) | undefined

  take(report: unknown): void {
    if (!isReport(report)) throw new Error(`a tab tells ${JSON.stringify(report)}`)
    const { life } = report
    if ('failed' in report) {
      this.failures.push(report.failed)
      this.#giveUp?.(new Error(`a tab has failed: ${report.failed}`))
    }
    if ('connected' in report) this.#newest.set(life, 0)
    if ('wrote' in report || 'lost' in report) {
      const number = 'wrote' in report ? report.wrote : report.lost
      const isWritten = 'wrote' in report
      ;(isWritten ? this.acknowledged : this.lost).add(`${life} ${number}`)
      this.#newest.set(life, number)
      if (isWritten) this.#watch?.(life)
    }
  }

  /** Whether a write is there that was not acknowledged, but may have been done: the last of a life, or one without answer. */
  mayBeThere(write: string): boolean {
    const [life = '', number] = write.split(' ')
    // Each is told of before the next.
    return this.lost.has(write) || Number(number) === (this.#newest.get(life) ?? 0) + 1
  }

  /** Waits for so many more writes. */
  further(count: number): Promise<void> {
    let left = count
    return this.#until(() => --left <= 0)
  }

  /** Waits until each of these lives has written once more. */
  furtherOfEach(lives: readonly unknown[]): Promise<void> {
    const waiting = new Set(lives)
    return this.#until(life => waiting.delete(life) && waiting.size === 0)
  }

  #until(isEnough: (life: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      this.#watch = life => {
        if (!isEnough(life)) return
        this.#watch = undefined
        resolve()
      }
    })
  }
}

function isFindings(found: unknown): found is ReloadFindings {
  return typeof found === 'object' && found !== null && 'writes' in found
}

function isReport(report: unknown): report is ReloadReport {
  return typeof report === 'object' && report !== null && 'life' in report
}
