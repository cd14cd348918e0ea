// The engine's events. Listeners run at once, but never inside something half done: they may read and write. What they
// throw goes to the logger and disturbs nobody else.
import type { HealthReport, LostCommits } from './health.ts'
import type { EngineLogger } from './options.ts'

/** What a listener is told, by event. */
export interface EngineEvents {
  /** A checkpoint has become durable: last commit in it, pages written, milliseconds taken. */
  checkpoint: { readonly lsn: number; readonly pages: number; readonly durationMs: number }
  /**
   * Writing is disturbed: how, since when, and why, as `stats().health` says it; `cause` is the error that writes get.
   * `undone`: what was not durable was taken back. `lost`: commits of relaxed durability that were acknowledged and are gone. Told before those who wait get the error;
   * a full disk once, not for every write that is refused.
   */
  degraded: HealthReport & { readonly cause: unknown; readonly undone: boolean; readonly lost?: LostCommits }
  /** Writing works again: the commit that shows it, about to be acknowledged, and how long it did not. */
  recovered: { readonly lsn: number; readonly durationMs: number }
  /** `close` was called. */
  closing: Record<string, never>
}

export type EngineEvent = keyof EngineEvents

export class Events {
  readonly #listeners: { readonly [E in EngineEvent]: Set<(detail: EngineEvents[E]) => void> } = {
    checkpoint: new Set(),
    degraded: new Set(),
    recovered: new Set(),
    closing: new Set()
  }
  readonly #logger: EngineLogger | undefined
  /** Calls to listeners that are still to be made, in order. */
  readonly #untold: (() => void)[] = []
  /** How much is half done. */
  #depth = 0

  constructor(logger: EngineLogger | undefined) {
    this.#logger = logger
  }

  /** Adds a listener; the result removes it. */
  on<E extends EngineEvent>(event: E, listener: (detail: EngineEvents[E]) => void): () => void {
    const listeners: Set<(detail: EngineEvents[E]) => void> = this.#listeners[event]
    // A wrapper, so that one function added twice is called twice and removed once.
    const added = (detail: EngineEvents[E]): void => listener(detail)
    listeners.add(added)
    return () => {
      listeners.delete(added)
    }
  }

  /** What happens inside of `work` is told when that has ended. */
  after<T>(work: () => T): T {
    this.#depth++
    try {
      return work()
    } finally {
      this.#depth--
      this.#tell()
    }
  }

  /**
   * What happens inside of `work` is told when the synchronous call has ended that it is a part of: the caller goes on
   * with what it has looked up and checked before, and relies on it that nothing was written since. Told at once when
   * `work` throws.
   */
  afterCall<T>(work: () => T): T {
    this.#depth++
    let result: T
    try {
      result = work()
      this.#depth--
    } catch (error) {
      this.#depth--
      this.#tell()
      throw error
    }
    if (this.#untold.length > 0) queueMicrotask(() => this.#tell())
    return result
  }

  emit<E extends EngineEvent>(event: E, detail: EngineEvents[E]): void {
    this.#untold.push(() => {
      this.#log({ [event]: detail })
      this.#call(event, detail)
    })
    this.#tell()
  }

  /** What happens is in the log, whoever listens. A logger may write to the database as well as a listener. */
  #log({ checkpoint, degraded, recovered }: Partial<EngineEvents>): void {
    if (checkpoint !== undefined) this.#logger?.debug('A checkpoint is durable', checkpoint)
    if (degraded?.state === 'failed') this.#logger?.error('Writing has failed until the next opening', degraded)
    else if (degraded !== undefined) this.#logger?.warn('Writing is disturbed', degraded)
    if (recovered !== undefined) this.#logger?.info('Writing works again', recovered)
  }

  #tell(): void {
    while (this.#depth === 0) {
      const next = this.#untold.shift()
      if (next === undefined) return
      next()
    }
  }

  #call<E extends EngineEvent>(event: E, detail: EngineEvents[E]): void {
    const listeners: Set<(detail: EngineEvents[E]) => void> = this.#listeners[event]
    for (const listener of [...listeners]) {
      try {
        listener(detail)
      } catch (error) {
        this.#logger?.error(`A listener of '${event}' failed`, error)
      }
    }
  }
}
