// The other end of database-program.ts: gives the orders, and remembers what was acknowledged even when the process is
// killed before it could answer.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Program } from '../support/child.ts'
import type { Answer, Order } from './database-program.ts'

/** Bounds that the system sets the process: as `ulimit` names them (`-f`: blocks of 512 or 1,024 bytes of a file). */
export type Limits = readonly string[]

export class DatabaseProcess {
  /** Numbers of the entries whose puts were acknowledged. */
  readonly acknowledged = new Set<number>()
  readonly #child: ChildProcess
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  readonly #ended: Promise<void>
  #whenAcknowledged: { readonly count: number; readonly tell: () => void } | undefined

  constructor(program: Program, limits: Limits = []) {
    const script = [...limits.map(limit => `ulimit ${limit} || exit 9`), 'exec "$0" "$@"'].join('; ')
    this.#child = spawn('sh', ['-c', script, process.execPath, '--expose-gc', program.path], {
      cwd: '/',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    this.#child.on('message', (message: { readonly answer?: Answer; readonly acknowledged?: number }) => {
      if (message.acknowledged !== undefined) this.#acknowledge(message.acknowledged)
      if (message.answer !== undefined) this.#waiting.shift()?.resolve(message.answer)
    })
    this.#ended = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`The process ended: ${signal ?? code}`))
        resolve()
      })
    })
  }

  /** Resolves with the answer; rejects when the process ends before it. */
  order(order: Order): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.send(order)
    })
  }

  /** The same for what must not fail. */
  async succeed(order: Order): Promise<Answer> {
    const answer = await this.order(order)
    if (answer.error !== undefined) throw new Error(`${order.do}: ${answer.message}`)
    return answer
  }

  /** SIGKILL as soon as so many puts are acknowledged; resolves when the process is gone. */
  async killAfter(count: number): Promise<void> {
    await new Promise<void>(resolve => {
      this.#whenAcknowledged = { count, tell: resolve }
      this.#acknowledge(undefined)
    })
    await this.kill()
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #acknowledge(number: number | undefined): void {
    if (number !== undefined) this.acknowledged.add(number)
    const awaited = this.#whenAcknowledged
    if (awaited !== undefined && this.acknowledged.size >= awaited.count) awaited.tell()
  }
}
