// The requests of a link that wait for their answers, by id.
//
// Not a Map: whenever V8 makes a Map's table anew, the old table goes on naming the new one. As soon as one of them has
// grown old, the collector of the young objects finds every later table through it, and takes all that passes through
// the Map for alive: requests, promises and results are copied, and become old, although nobody needs them any more. A
// server that is busy for a while would pause for tens of milliseconds again and again.

const fewestSlots = 256
const mostSlots = 65_536

/** What waits, by ascending ids. */
export class PendingRequests<R extends object> {
  /** Requests at their ids modulo the number of slots, a power of two. */
  #slots: (R | undefined)[] = new Array(fewestSlots).fill(undefined)
  #ids = new Float64Array(fewestSlots)
  /** Those that still wait when others need their slots: a wait for a lock may last while any number of others end. */
  readonly #late = new Map<number, R>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds a request; every id must be larger than those before. */
  add(id: number, request: R): void {
    if (this.#size >= this.#slots.length && this.#slots.length < mostSlots) this.#grow()
    this.#put(id, request)
    this.#size++
  }

  find(id: number): R | undefined {
    const slot = id & (this.#slots.length - 1)
    const found = this.#ids[slot] === id ? this.#slots[slot] : undefined
    return found ?? (this.#late.size === 0 ? undefined : this.#late.get(id))
  }

  /** Removes a request, and gives it; undefined when there is none. */
  take(id: number): R | undefined {
    const request = this.find(id)
    if (request === undefined) return undefined
    this.#size--
    const slot = id & (this.#slots.length - 1)
    if (this.#ids[slot] === id) this.#slots[slot] = undefined
    else this.#late.delete(id)
    return request
  }

  /** Removes all; gives them in the order of their ids. */
  takeAll(): R[] {
    const all = [...this.#late]
    for (const [slot, request] of this.#slots.entries()) {
      if (request !== undefined) all.push([this.#ids[slot] ?? 0, request])
    }
    this.#late.clear()
    this.#slots.fill(undefined)
    this.#size = 0
    return all.sort(([a], [b]) => a - b).map(([, request]) => request)
  }

  #put(id: number, request: R): void {
    const slot = id & (this.#slots.length - 1)
    const earlier = this.#slots[slot]
    if (earlier !== undefined) this.#late.set(this.#ids[slot] ?? 0, earlier)
    this.#ids[slot] = id
    this.#slots[slot] = request
  }

  #grow(): void {
    const [slots, ids] = [this.#slots, this.#ids]
    this.#slots = new Array(slots.length * 2).fill(undefined)
    this.#ids = new Float64Array(slots.length * 2)
    for (const [slot, request] of slots.entries()) if (request !== undefined) this.#put(ids[slot] ?? 0, request)
  }
}
