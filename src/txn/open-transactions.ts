// The transactions that are open, in two parts:
//
//   | unpinned ... | others ... |
//                  ^ #unpinned
//
// Each knows its place, so that it is found without a set. A set that much passes through is made anew again and again,
// and what has been in the old ones is kept until the garbage collector goes through everything.

/** Something that can be in a list. */
export interface Listed {
  /** Its place; only the list changes it. */
  place: number
}

export class OpenTransactions<T extends Listed> {
  readonly #all: T[] = []
  #unpinned = 0

  get size(): number {
    return this.#all.length
  }

  /** All, in no order. Whoever ends some meanwhile needs a copy. */
  get all(): readonly T[] {
    return this.#all
  }

  /** Whether the newest state is the snapshot of some. */
  get hasUnpinned(): boolean {
    return this.#unpinned > 0
  }

  add(transaction: T): void {
    transaction.place = this.#all.length
    this.#all.push(transaction)
  }

  remove(transaction: T): void {
    if (!this.#has(transaction)) return
    this.setPinned(transaction)
    const { place } = transaction
    const last = this.#all.pop()
    if (last !== undefined && last !== transaction) this.#put(last, place)
  }

  /** The newest state is its snapshot. */
  setUnpinned(transaction: Listed): void {
    if (this.#has(transaction) && transaction.place >= this.#unpinned) this.#exchange(transaction, this.#unpinned++)
  }

  /** It needs the newest state no more. */
  setPinned(transaction: Listed): void {
    if (this.#has(transaction) && transaction.place < this.#unpinned) this.#exchange(transaction, --this.#unpinned)
  }

  /** Those of which the newest state was the snapshot; from now on it is not. */
  takeUnpinned(): T[] {
    const taken = this.#all.slice(0, this.#unpinned)
    this.#unpinned = 0
    return taken
  }

  #has(transaction: Listed): transaction is T {
    return this.#all[transaction.place] === transaction
  }

  #exchange(transaction: T, place: number): void {
    const other = this.#all[place]
    if (other === undefined || other === transaction) return
    this.#put(other, transaction.place)
    this.#put(transaction, place)
  }

  #put(transaction: T, place: number): void {
    this.#all[place] = transaction
    transaction.place = place
  }
}
