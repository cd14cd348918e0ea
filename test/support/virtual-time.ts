// Time and chance that come from a seed, so that a run can be repeated exactly: timers run in the order of their times,
// a millisecond of this clock passes with every turn of the event loop, and no turn waits for a real clock.
import { Random } from './random.ts'

interface Timer {
  readonly id: number
  readonly atMs: number
  readonly run: () => void
}

/** Replaces timers, clocks and `Math.random` of this thread while `act` runs. One at a time; only for what needs no I/O. */
export async function inVirtualTime<R>(seed: number, act: () => Promise<R>): Promise<R> {
  const clock = new VirtualClock(seed)
  const original = { setTimeout, clearTimeout, random: Math.random, now: performance.now, date: Date.now }
  Object.assign(globalThis, { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout })
  Math.random = () => clock.random.next() / 0x1_0000_0000
  performance.now = () => clock.nowMs
  Date.now = () => firstDateMs + clock.nowMs
  try {
    clock.begin()
    return await act()
  } finally {
    clock.end()
    Object.assign(globalThis, { setTimeout: original.setTimeout, clearTimeout: original.clearTimeout })
    Math.random = original.random
    performance.now = original.now
    Date.now = original.date
  }
}

const firstDateMs = 1_800_000_000_000

class VirtualClock {
  nowMs = 0
  readonly random: Random
  #timers: Timer[] = []
  #nextId = 1
  #isOver = false

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  readonly setTimeout = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): object => {
    const id = this.#nextId++
    this.#timers.push({ id, atMs: this.nowMs + Math.max(1, ms), run: () => run(...values) })
    const handle = { id, ref: () => handle, unref: () => handle, hasRef: () => true, [Symbol.toPrimitive]: () => id }
    return handle
  }

  readonly clearTimeout = (handle: unknown): void => {
    if (typeof handle !== 'object' || handle === null || !('id' in handle)) return
    const { id } = handle
    this.#timers = this.#timers.filter(timer => timer.id !== id)
  }

  begin(): void {
    setImmediate(() => {
      if (this.#isOver) return
      this.nowMs++
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs || a.id - b.id)
      this.#timers = this.#timers.filter(timer => !due.includes(timer))
      for (const timer of due) timer.run()
      this.begin()
    })
  }

  end(): void {
    this.#isOver = true
    this.#timers = []
  }
}
