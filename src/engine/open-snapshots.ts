// The snapshots that are open, and their end when they are older than `maxSnapshotAgeMs`: whether or not anybody uses
// them, they keep old pages, and those must not fill the disk.
import { backgroundTimer } from './background-timer.ts'

/** What is known here of a snapshot. */
export interface OpenSnapshot {
  readonly sequence: number
  /** On the monotonic clock. */
  readonly openedMs: number
  /** Ends it; then it removes itself. */
  expire(): void
}

export class OpenSnapshots {
  /** In the order in which they were taken. */
  readonly #snapshots = new Set<OpenSnapshot>()
  readonly #mostMs: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `mostMs`: how old they may be; undefined: as old as they like. */
  constructor(mostMs: number | undefined) {
    this.#mostMs = mostMs
  }

  get size(): number {
    return this.#snapshots.size
  }

  /** The one that was taken first. */
  get oldest(): OpenSnapshot | undefined {
    for (const snapshot of this.#snapshots) return snapshot
    return undefined
  }

  add(snapshot: OpenSnapshot): void {
    this.#snapshots.add(snapshot)
    // It is not stopped when the last snapshot closes: most are open for a moment only, and soon there is another one.
    if (this.#mostMs !== undefined) this.#timer ??= this.#startTimer(this.#mostMs + 1)
  }

  delete(snapshot: OpenSnapshot): void {
    this.#snapshots.delete(snapshot)
  }

  /** Forgets all of them: what they saw is gone. */
  clear(): void {
    this.#snapshots.clear()
  }

  /** Ends those that are too old. */
  endOld(): void {
    if (this.#mostMs === undefined) return
    const now = performance.now()
    // Behind the first that may stay, all may.
    for (const snapshot of this.#snapshots) {
      if (now - snapshot.openedMs <= this.#mostMs) return
      snapshot.expire()
    }
  }

  /** From now on none is ended. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #startTimer(delayMs: number): ReturnType<typeof setTimeout> {
    return backgroundTimer(() => {
      this.#timer = undefined
      this.endOld()
      const { oldest } = this
      if (oldest === undefined || this.#mostMs === undefined) return
      this.#timer = this.#startTimer(Math.max(1, oldest.openedMs + this.#mostMs + 1 - performance.now()))
    }, delayMs)
  }
}
