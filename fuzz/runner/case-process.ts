// The side of the runner: a process that runs cases one at a time. A case that hangs, dies or takes too much memory costs
// the process, not the run.
import { type ChildProcess, fork } from 'node:child_process'
import { argv } from 'node:process'
import { type Answer, type Request, workerFlag } from './case-worker.ts'

/** How cases of a trial may behave. */
export interface CaseBounds {
  readonly name: string
  readonly mostMs?: number
}

const defaultMostMs = 600_000
const lastWordsBytes = 4_000

/** This program again, serving the cases of one trial. It starts with the first case and again after an end. */
export class CaseProcess {
  readonly #bounds: CaseBounds
  #child: ChildProcess | undefined
  #lastWords = ''

  constructor(bounds: CaseBounds) {
    this.#bounds = bounds
  }

  /** Runs a case; what goes wrong is in the answer. One at a time. */
  async run(request: Request): Promise<Answer> {
    const child = this.#running()
    const mostMs = this.#bounds.mostMs ?? defaultMostMs
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Answer>(resolve => {
        child.once('message', (answer: Answer) => resolve(answer))
        child.once('close', (code, signal) => resolve({ error: this.#obituary(code, signal) }))
        timer = setTimeout(() => {
          resolve({ error: `It did not end within ${mostMs / 1_000} seconds.` })
          this.stop()
        }, mostMs)
        child.send(request)
      })
    } finally {
      clearTimeout(timer)
      child.removeAllListeners('message').removeAllListeners('close')
    }
  }

  /** Ends the process; the next case gets a new one. */
  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child
    const [, program = ''] = argv
    const child = fork(program, [workerFlag, this.#bounds.name], {
      execArgv: ['--enable-source-maps', '--expose-gc'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc']
    })
    this.#lastWords = ''
    child.stderr?.on('data', (text: Buffer) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsBytes)
    })
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    child.on('error', () => undefined)
    this.#child = child
    return child
  }

  #obituary(code: number | null, signal: string | null): string {
    return `The process ended with ${signal ?? code}.\n${this.#lastWords}`.trimEnd()
  }
}
