// The other side of a worker process: starts it, hears it, and ends it when it hangs.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { WorkerFinding, WorkerMessage, WorkerProgress, WorkerTask } from './messages.ts'

/** Silence after which an execution counts as a hang, in ms. What hangs does so for ever; a loaded machine is only slow. */
const hangMs = 60_000
/** Heap of a worker, in MiB. */
const heapMiB = 768

/** What a worker has done until its end. */
export interface WorkerResult {
  readonly progress: WorkerProgress | undefined
  readonly findings: readonly WorkerFinding[]
}

/** Runs a worker to its end. A hang or a crash of the process is a finding like any other. */
export function runWorker(
  bundle: string,
  task: WorkerTask,
  onMessage: (message: WorkerMessage) => void = () => undefined
): Promise<WorkerResult> {
  const child = fork(bundle, [JSON.stringify(task)], {
    execArgv: ['--enable-source-maps', `--max-old-space-size=${heapMiB}`],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc']
  })
  return new Promise(resolve => {
    let progress: WorkerProgress | undefined
    const findings: WorkerFinding[] = []
    let isDone = false
    let lastWords = ''
    let watchdog = watch(child)
    child.stderr?.on('data', text => {
      lastWords = `${lastWords}${text}`.slice(-4_000)
    })
    child.on('message', (message: WorkerMessage) => {
      clearTimeout(watchdog)
      if (message.kind === 'progress') progress = message
      else if (message.kind === 'finding') findings.push(message)
      else isDone = true
      if (!isDone) watchdog = watch(child)
      onMessage(message)
    })
    child.on('close', (code, signal) => {
      clearTimeout(watchdog)
      if (!isDone) {
        const why = signal === 'SIGKILL' ? `no end within ${hangMs} ms` : `the process ended with ${signal ?? code}`
        const finding: WorkerFinding = { kind: 'finding', input: currentInput(task), message: `${why}\n${lastWords}` }
        findings.push(finding)
        onMessage(finding)
      }
      resolve({ progress, findings })
    })
  })
}

function watch(child: ChildProcess): NodeJS.Timeout {
  return setTimeout(() => child.kill('SIGKILL'), hangMs)
}

/** The input that the process was running, in base64. */
function currentInput({ current, replay }: WorkerTask): string {
  if (replay !== undefined) return readFileSync(replay).toString('base64')
  // A worker that could not even begin has run none.
  const bytes = existsSync(current) ? readFileSync(current) : Buffer.alloc(0)
  const length = bytes.length < 4 ? 0 : bytes.readUInt32LE(0)
  return bytes.subarray(4, 4 + length).toString('base64')
}
