// Runs test files inside real browsers: in a dedicated worker, as the engine does, or in a page itself.
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { esbuildBrowserTwins } from '../../scripts/browser-twins.mjs'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { esbuildWorkerSources } from '../../scripts/worker-sources.mjs'
import { deferred } from '../support/deferred.ts'
import type { Outcome } from '../support/elsewhere/runner.ts'
import { type Browser, type BrowserName, newProfile, startBrowser } from './browser.ts'
import { type Server, serve } from './server.ts'

/** One entry and where it runs. */
export interface Run {
  /** `new URL('./x.ts', import.meta.url)`; it ends with `runAndReport`. */
  readonly entry: URL
  readonly where: 'worker' | 'page'
}

/** What a run may need besides. */
export interface RunOptions {
  /** Entries of workers that the tests start by themselves, as `/NAME.js`. */
  readonly workers?: readonly URL[]
  /** What the browser lets the page store, in bytes. */
  readonly quotaBytes?: number
  /** In a private window. */
  readonly isPrivate?: boolean
}

/** Silence that means that a browser hangs: every test ends long before. */
const patienceMs = 180_000

/** Runs the entries one after the other in a new browser. */
export async function runInBrowser(
  name: BrowserName,
  runs: readonly Run[],
  options: RunOptions = {}
): Promise<Outcome[]> {
  const scripts = await bundleForBrowser([...runs.map(run => run.entry), ...(options.workers ?? [])])
  const outcomes: Outcome[] = []
  const reports = new EventTarget()
  const server = await serve({
    files: { ...scripts, '/page.html': scriptIn('page'), '/worker.html': scriptIn('worker') },
    onReport: report => {
      if (isOutcome(report)) outcomes.push(report)
      reports.dispatchEvent(new CustomEvent('report', { detail: report }))
    }
  })
  const profile = await newProfile()
  try {
    const browser = await startBrowser(name, profile, options)
    try {
      for (const run of runs) await runOne(browser, server, reports, run)
    } finally {
      await browser.close()
    }
  } finally {
    await server.close()
    await profile.remove()
  }
  return outcomes
}

/** Bundles entries for browsers: what they are, by the path that a page loads them from. */
export async function bundleForBrowser(entries: readonly URL[]): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    entryPoints: entries.map(entry => fileURLToPath(entry)),
    bundle: true,
    write: false,
    splitting: true,
    outdir: '/',
    entryNames: '[name]',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    plugins: [esbuildTwins, esbuildBrowserTwins, esbuildWorkerSources],
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  return Object.fromEntries(outputFiles.map(file => [file.path, file.text]))
}

async function runOne(browser: Browser, server: Server, reports: EventTarget, run: Run): Promise<void> {
  const ended = deferred()
  // It is waited for only when the page is there.
  ended.promise.catch(() => undefined)
  let last: unknown = 'nothing'
  const tooLate = setTimeout(() => {
    const seconds = patienceMs / 1_000
    ended.reject(new Error(`${browser.name} reports nothing for ${seconds} s. The last was ${JSON.stringify(last)}`))
  }, patienceMs)
  const hear = (event: Event): void => {
    const report: unknown = event instanceof CustomEvent ? event.detail : undefined
    if (report === 'ended') ended.resolve()
    else if (!isOutcome(report) && !isBeginning(report)) {
      ended.reject(new Error(`${browser.name} reports ${JSON.stringify(report)}`))
    }
    last = report
    tooLate.refresh()
  }
  reports.addEventListener('report', hear)
  try {
    const page = await browser.open(
      `${server.origin}/${run.where}.html?${basename(fileURLToPath(run.entry), '.ts')}.js`
    )
    await ended.promise
    await page.close()
  } finally {
    clearTimeout(tooLate)
    reports.removeEventListener('report', hear)
  }
}

/** A page that runs the script that its address names. */
function scriptIn(where: Run['where']): string {
  const start =
    where === 'page'
      ? 'import(script).catch(error => report({ error: String(error) }))'
      : `new Worker(script, { type: 'module', name: 'tests' }).onerror = event => report({ error: event.message ?? script + ' cannot be loaded' })`
  return `<!doctype html><title>tests</title><script type="module">
    const script = '/' + location.search.slice(1)
    const report = body => fetch('/report', { method: 'POST', body: JSON.stringify(body) })
    addEventListener('error', event => report({ error: event.message }))
    ${start}
  </script>`
}

function isOutcome(report: unknown): report is Outcome {
  return typeof report === 'object' && report !== null && 'state' in report && 'name' in report
}

/** A test that begins. */
function isBeginning(report: unknown): boolean {
  return typeof report === 'object' && report !== null && 'begins' in report
}
