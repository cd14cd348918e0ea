// The program that every bundler bundles: a worker keeps a database with open(), the page shares one with connect(), and
// both tell how that went.

/** What depends on the bundler. */
export interface Variant {
  /** Statements that give `kernel`: the address of the kernel's module, or undefined for the one that is bundled. */
  readonly kernel: string
  /** Statements that give `owner`: the address of the script that connect() starts, or undefined for its own. */
  readonly owner: string
  /** How the worker is named. */
  readonly worker?: string
  /** How the package is named. */
  readonly packageName?: string
}

/** What page and worker report. */
export interface Report {
  /** What `open` in the worker has kept. */
  readonly opened: unknown
  /** What `connect` in the page has kept. */
  readonly connected: unknown
  /** Paths that the worker has loaded. */
  readonly loaded: readonly string[]
}

/** The script of the worker. */
export function workerScript({ kernel, packageName = 'lightning-db' }: Variant): string {
  return `
    import { open } from '${packageName}'
    ${kernel}
    let opened
    try {
      const db = await open('app', { wasm: kernel })
      await db.batch([{ type: 'put', key: 'b', value: 2 }, { type: 'put', key: 'a', value: { deep: [1] } }])
      await db.close()
      const again = await open('app', { wasm: kernel })
      opened = [...again.entries()]
      await again.close()
    } catch (error) {
      opened = String(error) + ' ' + String(error.cause)
    }
    postMessage({ opened, loaded: performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname) })
  `
}

/** The script of the page. */
export function pageScript(variant: Variant): string {
  const { owner, packageName = 'lightning-db', worker = "new URL('./worker.js', import.meta.url)" } = variant
  return `
    import { connect } from '${packageName}'
    ${owner}
    const send = report => fetch('/report', { method: 'POST', body: JSON.stringify(report) })
    const share = async () => {
      try {
        const db = await connect('shared', { worker: owner })
        await db.put('k', { answer: 42 })
        const value = await db.get('k')
        await db.close()
        return value
      } catch (error) {
        return String(error.code ?? error)
      }
    }
    const worker = new Worker(${worker}, { type: 'module' })
    worker.onmessage = async ({ data }) => send({ ...data, connected: await share() })
    worker.onerror = event => send({ opened: event.message ?? 'the worker cannot be loaded', connected: '', loaded: [] })
  `
}

/** The page. */
export const pageMarkup = '<!doctype html><title>app</title><script type="module" src="./page.js"></script>'
