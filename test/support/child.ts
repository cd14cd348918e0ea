import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { esbuildWorkerSources } from '../../scripts/worker-sources.mjs'

// Real processes and threads for tests. An entry in TypeScript is bundled once into a temporary directory; it talks
// with the test by messages: `process.send` / `parentPort.postMessage` and the events of the same name.

/** A bundled entry that can be run many times. */
export interface Program {
  /** Path of the bundle. */
  readonly path: string
  remove(): Promise<void>
}

/** Bundles the entry at `url` (`new URL('./x.ts', import.meta.url)`). */
export async function bundleProgram(url: URL): Promise<Program> {
  const entry = fileURLToPath(url)
  const directory = await mkdtemp(join(tmpdir(), 'lightning-program-'))
  const path = join(directory, `${basename(entry, '.ts')}.mjs`)
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    plugins: [esbuildTwins, esbuildWorkerSources],
    define: { PLANTED_BUG: String(PLANTED_BUG) },
    logLevel: 'error'
  })
  // For processes of another user, too.
  await chmod(directory, 0o755)
  return { path, remove: () => rm(directory, { recursive: true, force: true }) }
}

/** A running process or worker. */
export interface Peer {
  readonly pid: number
  /** Messages are answered in order: resolves with the answer to this one, rejects if the peer ends before it. */
  ask(message: object): Promise<unknown>
  /** Sends without expecting an answer. */
  tell(message: object): void
  /** SIGKILL, or `terminate` for a worker; resolves when it is gone. */
  kill(): Promise<void>
  /** Exit code, or null after a signal. */
  readonly ended: Promise<number | null>
}

/** Starts a process; its answers are what it sends with `process.send`. */
export function startProcess(program: Program): Peer {
  return peerOf(fork(program.path, options))
}

/** The same without the powers of root, which no permission stops. */
export function startUnprivilegedProcess(program: Program): Peer {
  const root = process.getuid?.() === 0
  return peerOf(fork(program.path, root ? { ...options, cwd: '/', uid: 65_534, gid: 65_534 } : options))
}

const options: ForkOptions = { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }

function peerOf(child: ChildProcess): Peer {
  const answers = new Answers()
  child.on('message', message => answers.deliver(message))
  const ended = new Promise<number | null>(resolve => {
    child.once('exit', code => {
      answers.fail(`process ended with ${code}`)
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    ask(message) {
      child.send(message)
      return answers.next()
    },
    tell: message => void child.send(message),
    async kill() {
      child.kill('SIGKILL')
      await ended
    }
  }
}

/** Starts a worker thread of this process; its answers are what it posts to its parent. */
export function startWorker(program: Program): Peer {
  const worker = new Worker(program.path)
  const answers = new Answers()
  worker.on('message', message => answers.deliver(message))
  const ended = new Promise<number | null>(resolve => {
    worker.once('exit', code => {
      answers.fail(`worker ended with ${code}`)
      resolve(code)
    })
  })
  return {
    pid: process.pid,
    ended,
    ask(message) {
      worker.postMessage(message)
      return answers.next()
    },
    tell: message => worker.postMessage(message),
    async kill() {
      await worker.terminate()
      await ended
    }
  }
}

/** Pairs answers with those who wait for them, first come first served. */
class Answers {
  readonly #arrived: unknown[] = []
  readonly #waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []
  #failure: string | undefined

  next(): Promise<unknown> {
    if (this.#arrived.length > 0) return Promise.resolve(this.#arrived.shift())
    if (this.#failure !== undefined) return Promise.reject(new Error(this.#failure))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  deliver(answer: unknown): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(answer)
    else waiting.resolve(answer)
  }

  fail(reason: string): void {
    this.#failure = reason
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason))
  }
}
