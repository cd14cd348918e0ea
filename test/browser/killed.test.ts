import { expect, it, onTestFinished } from 'vitest'
import { browserNames } from '../../scripts/browsers.mjs'
import { deferred } from '../support/deferred.ts'
import { newProfile, startBrowser } from './browser.ts'
import { bundleForBrowser } from './in-browser.ts'
import { recordRun } from '../support/record.ts'
import { serve } from './server.ts'

/** How often the browser is killed; KILL_CYCLES is for the long form. */
const cycles = Number(process.env.KILL_CYCLES ?? 1)

const page = "<!doctype html><script type=module>new Worker('/writer.js', { type: 'module' })</script>"

it.each(browserNames)(
  'a killed %s has lost nothing that was acknowledged',
  { timeout: 120_000 * cycles },
  async name => {
    const scripts = await bundleForBrowser([new URL('./writer.ts', import.meta.url)])
    let reached = { count: 0, promise: deferred() }
    let acknowledged = -1
    let opened = -2
    const failures: unknown[] = []
    const server = await serve({
      files: { ...scripts, '/index.html': page },
      onReport(report) {
        if (hasNumber(report, 'opened')) {
          opened = report.opened
          if (!hasNumber(report, 'problems') || report.problems !== 0) failures.push(report)
        } else if (hasNumber(report, 'wrote')) {
          acknowledged = report.wrote
          if (--reached.count === 0) reached.promise.resolve()
        } else reached.promise.reject(new Error(JSON.stringify(report)))
      }
    })
    onTestFinished(() => server.close())
    const profile = await newProfile()
    onTestFinished(() => profile.remove())

    let version = ''
    let checked = -1
    for (let cycle = 0; cycle <= cycles; cycle++) {
      const before = acknowledged
      reached = { count: 20 + 90 * (cycle % 5), promise: deferred() }
      const browser = await startBrowser(name, profile)
      version = browser.version
      await browser.open(server.origin)
      await reached.promise.promise
      await browser.kill()
      expect(opened).toBeGreaterThanOrEqual(before)
      expect(failures).toEqual([])
      checked = before
    }
    recordRun(`killed-${name}`, {
      browser: version,
      kills: cycles,
      acknowledged: checked + 1,
      found: opened + 1,
      lost: 0
    })
  }
)

function hasNumber<N extends string>(report: unknown, name: N): report is Record<N, number> {
  return typeof report === 'object' && report !== null && typeof Reflect.get(report, name) === 'number'
}
