// Lightning DB in real browsers, over the origin private file system, beside IndexedDB and SQLite: each store in a tab of
// its own, in a browser with a new profile on the disk that is measured.
import { mkdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BrowserName, newProfile, startBrowser } from '../test/browser/browser.ts'
import { bundleForBrowser } from '../test/browser/in-browser.ts'
import { type Server, serve } from '../test/browser/server.ts'
import { deferred } from '../test/support/deferred.ts'
import { inTurn } from './comparison.ts'
import { installedVersion } from './drivers/installed-version.ts'
import { describeMachine } from './machine.ts'
import { type StoreName, storeNames } from './opfs/store.ts'
import { type BrowserFigures, printOpfs, type StoreFigures } from './opfs/table.ts'
import type { BenchOptions } from './options.ts'
import { saveResults } from './results.ts'

/** What a page reports. */
type Report = Omit<StoreFigures, 'store'>

/** How long one row of one store may take; then it has done less of the same work. */
const secondsPerRow = 0.5
/** A browser that says nothing for so long has failed. */
const patienceMs = 180_000

/** Every store in every browser, `repeat` times in turn. */
export async function benchOpfs(options: BenchOptions): Promise<void> {
  const files = await bundleForBrowser([pathToFileURL(resolve('bench/opfs/program.ts'))])
  const sqlite = await readFile('node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm')
  await mkdir(options.directory, { recursive: true })
  for (const keys of options.keys) {
    const browsers: BrowserFigures[] = []
    for (const name of options.browsers) {
      browsers.push(await measureIn(name, { ...files, ...pages, '/sqlite3.wasm': sqlite }, keys, options))
    }
    const versions = { sqlite: installedVersion('@sqlite.org/sqlite-wasm') }
    printOpfs(browsers, keys)
    const results = { machine: describeMachine(), repeat: options.repeat, keys, secondsPerRow, versions, browsers }
    const failures = browsers.flatMap(browser => browser.failures)
    await saveResults('opfs', results, options.record, failures)
  }
}

/** Clients of `connect` are used in pages, everything else in a worker. */
const pages = {
  '/page.html': '<!doctype html><script type="module">import("/program.js")</script>',
  '/worker.html': `<!doctype html><script type="module">
    new Worker('/program.js' + location.search, { type: 'module' }).onerror = event =>
      fetch('/report', { method: 'POST', body: JSON.stringify({ error: event.message ?? 'the worker cannot be loaded' }) })
  </script>`
}

async function measureIn(
  name: BrowserName,
  files: Readonly<Record<string, string | Uint8Array>>,
  keys: number,
  { repeat, directory }: BenchOptions
): Promise<BrowserFigures> {
  const runs: StoreFigures[] = []
  const failures: string[] = []
  let version = ''
  for (let round = 1; round <= repeat; round++) {
    for (const store of inTurn(storeNames, round)) {
      const title = `${round}/${repeat}: ${store} in ${name}`
      const started = performance.now()
      try {
        const measured = await measureStore(name, files, { store, keys, directory })
        version = measured.version
        runs.push({ store, ...measured.report })
      } catch (error) {
        failures.push(`${title}: ${error instanceof Error ? error.message : error}`)
      }
      process.stderr.write(`${title} ${((performance.now() - started) / 1_000).toFixed(1)} s\n`)
    }
  }
  return { browser: name, version, runs, failures }
}

/** One store in a browser of its own. */
async function measureStore(
  name: BrowserName,
  files: Readonly<Record<string, string | Uint8Array>>,
  task: { readonly store: StoreName; readonly keys: number; readonly directory: string }
): Promise<{ version: string; report: Report }> {
  const answer = deferred<Report>()
  // What is looked at where it is waited for may come earlier.
  answer.promise.catch(() => undefined)
  const server = await serve({
    files,
    // Clocks of isolated pages are finer.
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
    onReport: report => {
      if (hasFigures(report)) answer.resolve(report)
      else answer.reject(new Error(JSON.stringify(report)))
    }
  })
  const profile = await newProfile(task.directory)
  const tooLate = setTimeout(() => answer.reject(new Error('it comes to no end')), patienceMs)
  try {
    const browser = await startBrowser(name, profile)
    try {
      await browser.open(addressOf(server, task))
      return { version: browser.version, report: await answer.promise }
    } finally {
      await browser.close()
    }
  } finally {
    clearTimeout(tooLate)
    await server.close()
    await profile.remove()
  }
}

function addressOf(server: Server, { store, keys }: { readonly store: StoreName; readonly keys: number }): string {
  const parameters = new URLSearchParams({ store, keys: `${keys}`, seconds: `${secondsPerRow}` })
  return `${server.origin}/${store === 'connect' ? 'page' : 'worker'}.html?${parameters}`
}

function hasFigures(report: unknown): report is Report {
  return typeof report === 'object' && report !== null && 'figures' in report
}
