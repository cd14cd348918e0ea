// Which branches of the library an execution took, and how often: counters that `instrument.ts` puts into the bundle.

const counters = Symbol.for('lightning-db.fuzz.counters')
const mostCounters = 1 << 16

/** The counters of the instrumented bundle; in any other program they stay zero. */
function coverageCounters(): Uint8Array {
  const known: unknown = Reflect.get(globalThis, counters)
  if (known instanceof Uint8Array) return known
  const fresh = new Uint8Array(mostCounters)
  Reflect.set(globalThis, counters, fresh)
  return fresh
}

/** Put in front of the bundle, for the code that `instrument.ts` inserts. */
export const coverageBanner = `const __e = globalThis[Symbol.for('lightning-db.fuzz.counters')] ??= new Uint8Array(${mostCounters});`

/** Counts that differ little say the same: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more; a bit for each. */
const buckets = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count === 0) return 0
  if (count < 4) return 1 << (count - 1)
  if (count < 8) return 8
  if (count < 16) return 16
  if (count < 32) return 32
  return count < 128 ? 64 : 128
})

/** What has been seen so far. */
export class Coverage {
  readonly #counters = coverageCounters()
  readonly #words = new Uint32Array(this.#counters.buffer)
  readonly #seen = new Uint8Array(mostCounters)
  readonly #used: number
  #edges = 0

  /** `used`: counters that the bundle has. */
  constructor(used: number) {
    this.#used = used
  }

  /** Branches that were taken at least once. */
  get edges(): number {
    return this.#edges
  }

  /** Before an execution. */
  begin(): void {
    this.#counters.fill(0, 0, this.#used)
  }

  /** After it: how many branches, or counts of branches, are new. They are not new any more. */
  end(): number {
    let fresh = 0
    for (let i = 0; i < this.#used; i++) {
      // Most branches are not taken by most executions: four are looked at in one.
      while (i % 4 === 0 && this.#words[i >>> 2] === 0 && i < this.#used) i += 4
      const count = this.#counters[i] ?? 0
      if (count === 0) continue
      const bits = buckets[count] ?? 0
      const before = this.#seen[i] ?? 0
      if ((before & bits) === bits) continue
      if (before === 0) this.#edges++
      this.#seen[i] = before | bits
      fresh++
    }
    return fresh
  }
}
