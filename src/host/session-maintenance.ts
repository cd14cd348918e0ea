// Requests for maintenance of the database. The client can abort the long ones.

import { directoryVfs } from '../db/place.ts'
import type { Progress } from '../engine/engine.ts'
import type { Handler, Session } from './session.ts'
import { malformed } from './messages.ts'
import { type Fields, operation } from './wire.ts'

export class SessionMaintenance {
  readonly handlers: readonly (readonly [number, Handler])[]
  readonly #session: Session
  readonly #running = new Map<number, AbortController>()

  constructor(session: Session) {
    this.#session = session
    const { engine } = session.owner
    this.handlers = [
      [operation.flush, () => this.#flush()],
      [operation.checkpoint, (_, id) => this.#run(id, ({ signal }) => this.#checkpoint(signal))],
      [operation.verify, (_, id) => this.#run(id, options => engine.verify(options))],
      [
        operation.compact,
        (_, id) =>
          this.#run(id, async options => {
            session.checkWritable()
            await engine.compact(options)
          })
      ],
      [operation.backup, (fields, id) => this.#backup(fields, id)],
      [operation.stats, () => engine.stats()],
      [operation.pageMap, () => engine.pageMap()],
      [operation.cancel, fields => this.#running.get(fields.number())?.abort()]
    ]
  }

  /** Registers a request that the client can abort; gives its signal. */
  begin(id: number): AbortSignal {
    // Without an id of its own it could not be aborted, and would go on when its client is gone.
    if (id === 0 || this.#running.has(id)) throw malformed('a request that can be ended has no number of its own')
    const controller = new AbortController()
    this.#running.set(id, controller)
    return controller.signal
  }

  end(id: number): void {
    this.#running.delete(id)
  }

  endAll(): void {
    for (const controller of this.#running.values()) controller.abort()
    this.#running.clear()
  }

  async #flush(): Promise<void> {
    await this.#session.owner.engine.flush()
  }

  async #checkpoint(signal: AbortSignal): Promise<void> {
    this.#session.checkWritable()
    await this.#session.owner.engine.checkpoint(signal)
  }

  #backup(fields: Fields, id: number): Promise<unknown> {
    const destination = fields.text()
    return this.#run(id, async ({ signal }) => {
      await this.#session.owner.engine.backup(await directoryVfs(destination, 'backup'), { signal })
    })
  }

  async #run(id: number, work: (options: RunOptions) => Promise<unknown>): Promise<unknown> {
    const signal = this.begin(id)
    const onProgress = ({ done, total }: Progress) => {
      this.#session.progress(id, done, total)
    }
    try {
      return await work({ signal, onProgress })
    } finally {
      this.end(id)
    }
  }
}

interface RunOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
}
