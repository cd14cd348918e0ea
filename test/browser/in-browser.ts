// Runs test files inside a dedicated worker of a real browser.
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { esbuildBrowserTwins } from '../../scripts/browser-twins.mjs'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { esbuildWorkerSources } from '../../scripts/worker-sources.mjs'
import { deferred } from '../support/deferred.ts'
import type { Outcome } from '../support/elsewhere/runner.ts'
import { type BrowserName, newProfile, startBrowser } from './browser.ts'
import { serve } from './server.ts'

/** Bundles an entry for browsers: what it is, by the path that a page loads it from. */
export async function bundleForBrowser(url: URL): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    write: false,
    splitting: true,
    outdir: '/',
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

/** Long enough for any machine: it only bounds a browser that hangs. */
const patienceMs = 600_000

/** Runs what the entry at `url` runs, in a worker of a new browser, and resolves when it says that it has ended. */
export async function runInBrowser(name: BrowserName, url: URL): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const files = await bundleForBrowser(url)
  const script = `/${basename(fileURLToPath(url), '.ts')}.js`
  const ended = deferred()
  const server = await serve({
    files: { ...files, '/index.html': pageOf(script) },
    onReport: report => {
      if (isOutcome(report)) outcomes.push(report)
      else if (report === 'ended') ended.resolve()
      else ended.reject(new Error(`the worker in ${name} reports ${JSON.stringify(report)}`))
    }
  })
  const profile = await newProfile()
  try {
    const browser = await startBrowser(name, profile)
    const tooLate = setTimeout(() => ended.reject(new Error(`${name} does not come to an end`)), patienceMs)
    try {
      await browser.open(server.origin)
      await ended.promise
    } finally {
      clearTimeout(tooLate)
      await browser.close()
    }
  } finally {
    await server.close()
    await profile.remove()
  }
  return outcomes
}

function pageOf(script: string): string {
  return `<!doctype html><title>tests</title><script type="module">
    const worker = new Worker('${script}', { type: 'module', name: 'tests' })
    const report = body => fetch('/report', { method: 'POST', body: JSON.stringify(body) })
    worker.onerror = event => report({ error: event.message ?? 'the worker cannot be loaded' })
  </script>`
}

function isOutcome(report: unknown): report is Outcome {
  return typeof report === 'object' && report !== null && 'state' in report && 'name' in report
}
