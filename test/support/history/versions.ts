// The order in which every list was appended to, who appended what, and what can be wrong with reads before any
// dependency is looked at.
import type { Anomaly } from './anomaly.ts'
import type { History, Operation } from './history.ts'

type Read = Extract<Operation, { type: 'read' }>

export class Versions {
  readonly anomalies: Anomaly[] = []
  /** The elements of each list, in order. */
  readonly orders = new Map<string, readonly number[]>()
  readonly #history: History
  /** The transaction that appended an element. */
  readonly #writers = new Map<number, number>()
  /** Elements behind which their writer appended another one. */
  readonly #intermediate = new Set<number>()

  constructor(history: History) {
    this.#history = history
    this.#readAppends()
    this.#chooseOrders()
    this.#checkOrders()
    this.#checkReads()
  }

  /** Undefined for an element that no transaction appended. */
  writer(element: number): number | undefined {
    return this.#writers.get(element)
  }

  /** How much of the list was there before the transaction's own appends. */
  lengthBeforeOwn(list: readonly number[], transaction: number): number {
    let length = list.length
    while (length > 0 && this.#writers.get(list[length - 1] ?? 0) === transaction) length--
    return length
  }

  #report(kind: Anomaly['kind'], detail: string): void {
    this.anomalies.push({ kind, detail })
  }

  *#committed(): Generator<readonly [number, readonly Operation[]]> {
    for (const [index, { outcome, operations }] of this.#history.transactions.entries()) {
      if (outcome === 'committed') yield [index, operations]
    }
  }

  #readAppends(): void {
    for (const [index, { operations, outcome }] of this.#history.transactions.entries()) {
      if (outcome === 'unknown') throw new Error(`Decide first whether transaction ${index} was committed`)
      const last = new Map<string, number>()
      for (const operation of operations) {
        if (operation.type !== 'append') continue
        const { key, element } = operation
        if (this.#writers.has(element)) throw new Error(`Element ${element} was appended twice`)
        this.#writers.set(element, index)
        const before = last.get(key)
        if (before !== undefined) this.#intermediate.add(before)
        last.set(key, element)
      }
    }
  }

  /** What is there in the end, or else the longest that was read. */
  #chooseOrders(): void {
    const { final } = this.#history
    if (final !== undefined) {
      for (const [key, list] of final) this.orders.set(key, list)
      return
    }
    for (const [, operations] of this.#committed()) {
      for (const operation of operations) {
        if (operation.type !== 'read') continue
        const known = this.orders.get(operation.key)
        if (known === undefined || known.length < operation.list.length) this.orders.set(operation.key, operation.list)
      }
    }
  }

  #checkOrders(): void {
    for (const [key, order] of this.orders) {
      this.#checkElements(key, order, 'in the end')
      if (new Set(order).size < order.length) this.#report('incompatible-order', `${key} has an element twice`)
    }
    if (this.#history.final === undefined) return
    const present = new Set<number>()
    for (const order of this.orders.values()) for (const element of order) present.add(element)
    for (const [index, operations] of this.#committed()) {
      for (const operation of operations) {
        if (operation.type !== 'append' || present.has(operation.element)) continue
        this.#report('lost-append', `${operation.key} lacks ${operation.element} of transaction ${index}`)
      }
    }
  }

  #checkReads(): void {
    for (const [index, operations] of this.#committed()) {
      const own = new Map<string, number[]>()
      for (const operation of operations) {
        if (operation.type === 'read') {
          this.#checkRead(index, operation, own.get(operation.key) ?? [])
        } else {
          const appended = own.get(operation.key)
          if (appended === undefined) own.set(operation.key, [operation.element])
          else appended.push(operation.element)
        }
      }
    }
  }

  #checkRead(index: number, { key, list }: Read, own: readonly number[]): void {
    const order = this.orders.get(key) ?? []
    if (!startsWith(order, list)) {
      this.#report('incompatible-order', `transaction ${index} read ${key} = [${list}], which is [${order}]`)
      this.#checkElements(key, list, `for transaction ${index}`)
    }
    if (!own.every((element, i) => list[list.length - own.length + i] === element)) {
      this.#report('internal', `transaction ${index} read ${key} = [${list}] after it had appended [${own}]`)
    }
    const last = list[this.lengthBeforeOwn(list, index) - 1]
    if (last !== undefined && this.#intermediate.has(last)) {
      this.#report('G1b', `transaction ${index} read ${key} up to ${last}, which its writer appended to again`)
    }
  }

  #checkElements(key: string, list: readonly number[], where: string): void {
    for (const element of list) {
      const writer = this.#writers.get(element)
      const outcome = writer === undefined ? undefined : this.#history.transactions[writer]?.outcome
      if (outcome === 'committed') continue
      const cause = writer === undefined ? 'nobody appended' : `transaction ${writer} took back`
      this.#report('G1a', `${key} has ${element} ${where}, which ${cause}`)
    }
  }
}

function startsWith(order: readonly number[], list: readonly number[]): boolean {
  if (list.length > order.length) return false
  for (let i = 0; i < list.length; i++) if (list[i] !== order[i]) return false
  return true
}
