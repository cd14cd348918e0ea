// Cycles of dependencies, by what Adya and, for those between, Elle call them:
//
//   G0             ww only
//   G1c            ww and wr
//   G-single       one rw besides
//   G-nonadjacent  several rw, no two of them in a row
//   G2             two rw in a row: the only one that snapshots allow
//
// They are looked for in this order, in graphs with more and more edges; each search is linear. The fourth graph is the
// reason why it can be: give every transaction two nodes, its snapshot and its commit,
//
//   ww, wr, rt:   commit of a → snapshot of b
//   rw:           snapshot of a → commit of b
//   always:       snapshot of a → commit of a
//
// and two rw never follow each other on any way, while everything else still can.
import type { Isolation } from '../../../src/index.ts'
import type { Anomaly, CycleKind } from './anomaly.ts'
import { dependenciesOf, nodesOf, rt, rw, wr, ww } from './dependencies.ts'
import { type Edge, Graph } from './graph.ts'
import type { History } from './history.ts'
import type { Versions } from './versions.ts'

/** From the snapshot of a transaction to its commit. */
const own = 4
const names = ['ww', 'wr', 'rw', 'rt']
/** Cycles are searched for in so many components, from so many edges of each. */
const mostTries = 20

/** At most a few cycles of each kind that there is, those that `level` allows included as far as they come for free. */
export function findCycles(history: History, versions: Versions, level: Isolation): Anomaly[] {
  const count = history.transactions.length
  const nodes = nodesOf(history)
  const dependencies = dependenciesOf(history, versions)
  const plain = (labels: readonly number[]) =>
    new Graph(
      nodes,
      dependencies.filter(({ label }) => labels.includes(label))
    )
  const found = new Map<string, Anomaly>()
  const search = (graph: Graph, starts: readonly number[]) => {
    for (const cycle of shortCycles(graph, starts)) {
      const anomaly = describeCycle(cycle, count, nodes)
      if (!found.has(anomaly.kind)) found.set(anomaly.kind, anomaly)
    }
  }
  search(plain([ww]), [ww])
  search(plain([ww, wr]), [wr])
  search(plain([ww, wr, rt]), [ww, wr, rt])
  search(plain([ww, wr, rw]), [rw])
  if (level !== 'read-committed') search(splitGraph(dependencies, count, nodes), [rw])
  if (level === 'serializable') search(plain([ww, wr, rw, rt]), [rw])
  return [...found.values()]
}

function splitGraph(dependencies: readonly Edge[], count: number, nodes: number): Graph {
  const snapshotOf = (node: number) => (node < count ? nodes + node : node)
  const edges = dependencies.map(({ from, to, label }) =>
    label === rw ? { from: snapshotOf(from), to, label } : { from, to: snapshotOf(to), label }
  )
  for (let index = 0; index < count; index++) edges.push({ from: snapshotOf(index), to: index, label: own })
  return new Graph(nodes + count, edges)
}

/** For some edges with these labels, a shortest cycle through each. */
function* shortCycles(graph: Graph, starts: readonly number[]): Generator<Edge[]> {
  for (const component of graph.components().slice(0, mostTries)) {
    const members = new Set(component)
    let tries = 0
    for (const node of component) {
      for (const edge of graph.edges(node)) {
        if (!starts.includes(edge.label) || !members.has(edge.to)) continue
        const way = graph.shortestWay(edge.to, edge.from, members)
        if (way !== undefined) yield [edge, ...way]
        if (++tries >= mostTries) break
      }
      if (tries >= mostTries) break
    }
  }
}

function describeCycle(cycle: readonly Edge[], count: number, nodes: number): Anomaly {
  const steps = cycle.filter(({ label }) => label !== own)
  const labels = steps.map(({ label }) => label)
  const kind = kindOf(labels)
  const parts: string[] = []
  for (const { from, label } of steps) {
    // Moments are no transactions: the way through them is one step.
    if (from >= count && from < nodes) continue
    parts.push(`${from >= nodes ? from - nodes : from} ${names[label]}`)
  }
  return { kind: labels.includes(rt) ? `${kind}-realtime` : kind, detail: `${parts.join(' ')} back` }
}

function kindOf(labels: readonly number[]): CycleKind {
  const rws = labels.filter(label => label === rw).length
  if (rws === 0) return labels.includes(wr) ? 'G1c' : 'G0'
  if (rws === 1) return 'G-single'
  return labels.some((label, i) => label === rw && labels.at(i - 1) === rw) ? 'G2' : 'G-nonadjacent'
}
