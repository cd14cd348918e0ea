// What must come before what, as edges between transactions:
//
//   ww   b appended right behind a's element
//   wr   b read a list whose last element is a's
//   rw   b appended right behind what a read
//   rt   a had ended before b began
//
// Real time goes through extra nodes, one for each end of a transaction, in a chain: a → its end → … → the last end
// before b began → b. So there are no more edges than transactions, where pairs would be quadratic.
import type { Edge } from './graph.ts'
import type { History } from './history.ts'
import type { Versions } from './versions.ts'

export const ww = 0
export const wr = 1
export const rw = 2
export const rt = 3

type EdgeVisitor = (from: number, to: number, label: number) => void

/** Number of nodes that the edges of a history use. */
export function nodesOf({ transactions }: History): number {
  return transactions.length * 2
}

/** All edges between different committed transactions; nodes beyond the number of transactions are moments. */
export function dependenciesOf(history: History, versions: Versions): Edge[] {
  const edges: Edge[] = []
  visitDependencies(history, versions, (from, to, label) => edges.push({ from, to, label }))
  return edges
}

function visitDependencies(history: History, versions: Versions, visit: EdgeVisitor): void {
  const { transactions } = history
  const visitCommitted: EdgeVisitor = (from, to, label) => {
    if (transactions[from]?.outcome === 'committed' && transactions[to]?.outcome === 'committed') visit(from, to, label)
  }
  for (const order of versions.orders.values()) {
    for (let i = 1; i < order.length; i++) {
      visitPair(versions.writer(order[i - 1] ?? 0), versions.writer(order[i] ?? 0), ww, visitCommitted)
    }
  }
  for (const [index, { outcome, operations }] of transactions.entries()) {
    if (outcome !== 'committed') continue
    for (const operation of operations) {
      if (operation.type !== 'read') continue
      const { key, list } = operation
      const length = versions.lengthBeforeOwn(list, index)
      if (length > 0) visitPair(versions.writer(list[length - 1] ?? 0), index, wr, visitCommitted)
      const following = versions.orders.get(key)?.[length]
      if (following !== undefined) visitPair(index, versions.writer(following), rw, visitCommitted)
    }
  }
  visitRealTime(history, visit)
}

function visitPair(from: number | undefined, to: number | undefined, label: number, visit: EdgeVisitor): void {
  if (from !== undefined && to !== undefined && from !== to) visit(from, to, label)
}

function visitRealTime({ transactions }: History, visit: EdgeVisitor): void {
  const committed = [...transactions.keys()].filter(index => transactions[index]?.outcome === 'committed')
  const began = (index: number) => transactions[index]?.began ?? 0
  const ended = (index: number) => transactions[index]?.ended ?? 0
  const byEnd = committed.filter(index => Number.isFinite(ended(index))).sort((a, b) => ended(a) - ended(b))
  const byBegin = committed.sort((a, b) => began(a) - began(b))
  let last: number | undefined
  let at = 0
  for (const index of byBegin) {
    for (let next = byEnd[at]; next !== undefined && ended(next) < began(index); next = byEnd[++at]) {
      const moment = transactions.length + next
      if (last !== undefined) visit(last, moment, rt)
      visit(next, moment, rt)
      last = moment
    }
    if (last !== undefined) visit(last, index, rt)
  }
}
