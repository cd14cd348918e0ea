// The engine's events. Listeners may read and write, so they are called only when nothing is half done: at once if
// possible, otherwise when the work in progress has ended. What they throw goes to the logger.
import type { HealthReport, LostCommits } from './health.ts'
import type { EngineLogger } from './options.ts'

/** What a listener is told, by event. */
export interface EngineEvents {
  /** A checkpoint has become durable: last commit in it, pages written, milliseconds taken. */
  checkpoint: { readonly lsn: number; readonly pages: number; readonly durationMs: number }
  /**
   * Writing is disturbed: how, since when, and why, as in `stats().health`. `cause` is the error that writes get.
   * `undone`: commits that were not durable were rolled back. `lost`: commits of relaxed durability that had been
   * acknowledged and are gone. Emitted before the promises concerned reject; for a full disk only once, not for every
   * write that is refused.
   */
  degraded: HealthReport & { readonly cause: unknown; readonly undone: boolean; readonly lost?: LostCommits }
  /**
   * Writing works again: the commit that proves it, just before it is acknowledged, and how long writing was disturbed.
   */
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
  /** Events that are still to be delivered, in order. */
  readonly #untold: (() => void)[] = []
  /** How many calls of `after` and `afterCall` are under way. */
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

  /** Runs `work`; its events are delivered when it has ended. */
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
   * Runs `work`, a part of a synchronous call; its events are delivered in a microtask, after that call. The caller
   * goes on with what it has looked up and checked before, so no listener may write in between. If `work` throws, they
   * are delivered at once.
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

  /** Events are logged whether anybody listens or not. Delivered like calls of listeners: a logger may write, too. */
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
