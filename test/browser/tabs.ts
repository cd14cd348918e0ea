// Clients in tabs of a real browser: one tab's worker owns the database, the others reach it.
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Browser, type BrowserName, newProfile, type Profile, startBrowser } from './browser.ts'
import { bundleForBrowser } from './in-browser.ts'
import { type Server, serve } from './server.ts'
import { recordTakeovers, takeovers } from '../support/takeovers.ts'

const page = '<!doctype html><title>tab</title><script type="module" src="/tab-program.js"></script>'

/** Has the tab do something; gives its result, or the code of its error. */
async function act(tab: Page, name: string, ...parameters: unknown[]): Promise<unknown> {
  return await tab.evaluate(
    async (action: string, given: unknown[]) =>
      await Reflect.apply(Reflect.get(globalThis, 'act'), undefined, [action, given]),
    name,
    parameters
  )
}

/** In the page: counts the workers that are started from now on. */
function countWorkers(): void {
  const counted = new Proxy(Worker, {
    construct(target, given) {
      Reflect.set(globalThis, 'started', Number(Reflect.get(globalThis, 'started')) + 1)
      return Reflect.construct(target, given)
    }
  })
  Reflect.set(globalThis, 'started', 0)
  Reflect.set(globalThis, 'Worker', counted)
}

/** What holds for tabs in this browser. */
export function describeTabs(name: BrowserName): void {
  describe(`tabs of ${name}`, { timeout: 120_000 }, () => {
    let profile: Profile
    let server: Server
    let browser: Browser
    beforeAll(async () => {
      const files = await bundleForBrowser([new URL('./tab-program.ts', import.meta.url)])
      server = await serve({ files: { ...files, '/index.html': page } })
      profile = await newProfile()
      browser = await startBrowser(name, profile)
    }, 120_000)
    afterAll(async () => {
      await browser?.close()
      await server?.close()
      await profile?.remove()
    })

    const newTab = async (): Promise<Page> => {
      const tab = await browser.open(server.origin)
      await tab.waitForFunction(() => 'act' in globalThis)
      return tab
    }

    it('share one owner, and the last close leaves nothing that keeps others out', async () => {
      const [one, two] = [await newTab(), await newTab()]
      expect(await act(one, 'connect', 'c', 'shared')).toBe('connected')
      expect(await act(two, 'connect', 'c', 'shared')).toBe('connected')
      expect(await act(two, 'connect', 'd', 'shared')).toBe('connected')
      await act(one, 'put', 'c', 'a', 7)
      expect(await act(two, 'get', 'c', 'a')).toBe(7)
      await act(two, 'fill', 'c', 3_000)
      expect(await act(one, 'scan', 'c')).toBe((2_999 * 3_000) / 2)
      expect(await act(two, 'scan', 'd')).toBe((2_999 * 3_000) / 2)
      await Promise.all([one, two, one, two].flatMap(tab => Array.from({ length: 5 }, () => act(tab, 'add', 'c', 'n'))))
      expect(await act(one, 'get', 'c', 'n')).toBe(20)
      expect(await act(one, 'destroy', 'shared')).toBe('LIGHTNING_LOCKED')
      expect(await act(one, 'close', 'c')).toBe('closed')
      expect(await act(two, 'get', 'd', 'n')).toBe(20)
      expect(await act(two, 'close', 'c')).toBe('closed')
      expect(await act(two, 'close', 'd')).toBe('closed')
      expect(await act(two, 'destroy', 'shared')).toBe('destroyed')
      await one.close()
      await two.close()
    })

    it('that connect at once start one worker between them', async () => {
      const tabs = [await newTab(), await newTab()]
      for (const tab of tabs) await tab.evaluate(countWorkers)
      const clients = ['a', 'b', 'c', 'd']
      const connecting = tabs.flatMap(tab => clients.map(client => act(tab, 'connect', client, 'at once')))
      expect(new Set(await Promise.all(connecting))).toEqual(new Set(['connected']))
      const started = await Promise.all(tabs.map(tab => tab.evaluate(() => Number(Reflect.get(globalThis, 'started')))))
      expect(started.sort()).toEqual([0, 1])
      for (const tab of tabs) for (const client of clients) expect(await act(tab, 'close', client)).toBe('closed')
      for (const tab of tabs) await tab.close()
    })

    it('that are closed hold nothing any more', async () => {
      const [one, two] = [await newTab(), await newTab()]
      await act(one, 'connect', 'c', 'gone')
      await act(two, 'connect', 'c', 'gone')
      await act(one, 'fill', 'c', 10)
      expect(await act(two, 'lock', 'c', 'a')).toBe('locked')
      const locked = act(one, 'lock', 'c', 'a')
      await two.close()
      expect(await locked).toBe('locked')
      await act(one, 'rollback', 'c', 'a')
      expect(await act(one, 'snapshots', 'c')).toBe(0)
      expect(await act(one, 'close', 'c')).toBe('closed')
      await one.close()
    })

    it('that come do not meet those that leave', async () => {
      const [one, two] = [await newTab(), await newTab()]
      const comeAndGo = async (tab: Page): Promise<void> => {
        for (let i = 0; i < 15; i++) {
          expect(await act(tab, 'connect', 'c', 'coming')).toBe('connected')
          await act(tab, 'add', 'c', 'n')
          expect(await act(tab, 'close', 'c')).toBe('closed')
        }
      }
      await Promise.all([comeAndGo(one), comeAndGo(two)])
      await act(one, 'connect', 'c', 'coming')
      expect(await act(one, 'get', 'c', 'n')).toBe(30)
      expect(await act(one, 'close', 'c')).toBe('closed')
      await one.close()
      await two.close()
    })

    it('follow the owner when its tab is closed', async () => {
      const [one, two, three] = [await newTab(), await newTab(), await newTab()]
      for (const tab of [one, two, three]) expect(await act(tab, 'connect', 'c', 'followed')).toBe('connected')
      await act(one, 'put', 'c', 'a', 1)
      await act(two, 'lock', 'c', 'a')
      await one.close()
      expect(await act(two, 'get', 'c', 'a')).toBe(1)
      expect(await act(three, 'get', 'c', 'a')).toBe(1)
      expect(await act(two, 'readLocked', 'c', 'a')).toBe('LIGHTNING_CONFLICT')
      await act(three, 'put', 'c', 'b', 2)
      expect(await act(two, 'get', 'c', 'b')).toBe(2)
      expect(await act(two, 'verify', 'c')).toBe(0)
      expect([await act(two, 'close', 'c'), await act(three, 'close', 'c')]).toEqual(['closed', 'closed'])
      await two.close()
      await three.close()
    })

    it('have another owner within seconds when its tab is closed', { timeout: 60_000 * (takeovers + 1) }, async () => {
      const times: number[] = []
      let owner = await newTab()
      await act(owner, 'connect', 'c', 'inherited')
      await act(owner, 'fill', 'c', 1_000)
      for (let i = 0; i < takeovers; i++) {
        const heir = await newTab()
        expect(await act(heir, 'connect', 'c', 'inherited')).toBe('connected')
        expect(await act(heir, 'get', 'c', 'k999')).toBe(999)
        await owner.close()
        const closed = performance.now()
        expect(await act(heir, 'get', 'c', 'k999')).toBe(999)
        times.push(performance.now() - closed)
        owner = heir
      }
      expect(await act(owner, 'close', 'c')).toBe('closed')
      await owner.close()
      recordTakeovers(`tab-${name}`, times, { browser: browser.version })
    })

    it('restore, repair and destroy without a worker of their own', async () => {
      const tab = await newTab()
      await act(tab, 'connect', 'c', 'cared')
      await act(tab, 'fill', 'c', 100)
      expect(await act(tab, 'backup', 'c', 'cared-backup')).toBe('backed up')
      expect(await act(tab, 'repair', 'cared')).toBe('LIGHTNING_LOCKED')
      expect(await act(tab, 'close', 'c')).toBe('closed')
      expect(await act(tab, 'abortedRepair', 'cared')).toBe('LIGHTNING_ABORTED')
      expect(await act(tab, 'repair', 'cared')).toEqual([100, 0, true])
      expect(await act(tab, 'restore', 'cared-backup', 'cared')).toBe('LIGHTNING_EXISTS')
      expect(await act(tab, 'destroy', 'cared')).toBe('destroyed')
      expect(await act(tab, 'restore', 'cared-backup', 'cared')).toBe('restored')
      await act(tab, 'connect', 'c', 'cared')
      expect(await act(tab, 'count', 'c')).toBe(100)
      expect(await act(tab, 'close', 'c')).toBe('closed')
      await tab.close()
    })

    it('find again what was durable when the browser was killed', async () => {
      const one = await newTab()
      await act(one, 'connect', 'c', 'killed')
      for (let i = 0; i < 20; i++) await act(one, 'put', 'c', `k${i}`, i)
      await browser.kill()
      browser = await startBrowser(name, profile)
      const again = await newTab()
      expect(await act(again, 'connect', 'c', 'killed')).toBe('connected')
      expect([await act(again, 'count', 'c'), await act(again, 'verify', 'c')]).toEqual([20, 0])
      expect(await act(again, 'close', 'c')).toBe('closed')
    })
  })
}
