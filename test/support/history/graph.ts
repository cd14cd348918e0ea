// A directed graph with labelled edges, its strongly connected components and shortest ways, all in linear time.

export interface Edge {
  readonly from: number
  readonly to: number
  readonly label: number
}

export class Graph {
  readonly nodes: number
  /** The edges of node n are those from `starts[n]` up to `starts[n + 1]`. */
  readonly #starts: Int32Array
  readonly #targets: Int32Array
  readonly #labels: Uint8Array

  constructor(nodes: number, edges: readonly Edge[]) {
    this.nodes = nodes
    this.#starts = new Int32Array(nodes + 2)
    this.#targets = new Int32Array(edges.length)
    this.#labels = new Uint8Array(edges.length)
    // Counts, then sums, then places: each place moves on to the beginning of the next node.
    for (const { from } of edges) this.#starts[from + 2] = this.#start(from + 2) + 1
    for (let i = 2; i < this.#starts.length; i++) this.#starts[i] = this.#start(i) + this.#start(i - 1)
    for (const { from, to, label } of edges) {
      const at = this.#start(from + 1)
      this.#starts[from + 1] = at + 1
      this.#targets[at] = to
      this.#labels[at] = label
    }
  }

  *edges(from: number): Generator<Edge> {
    for (let at = this.#start(from); at < this.#start(from + 1); at++) {
      yield { from, to: this.#targets[at] ?? 0, label: this.#labels[at] ?? 0 }
    }
  }

  /** Strongly connected components of more than one node (Tarjan 1972, without recursion). */
  components(): number[][] {
    const components: number[][] = []
    const index = new Int32Array(this.nodes).fill(-1)
    const low = new Int32Array(this.nodes)
    const isWaiting = new Uint8Array(this.nodes)
    const next = new Int32Array(this.nodes)
    const waiting: number[] = []
    const path: number[] = []
    let count = 0
    const enter = (node: number) => {
      index[node] = low[node] = count++
      next[node] = this.#start(node)
      isWaiting[node] = 1
      waiting.push(node)
      path.push(node)
    }
    for (let root = 0; root < this.nodes; root++) {
      if (index[root] !== -1) continue
      enter(root)
      for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
        const at = next[node] ?? 0
        if (at < this.#start(node + 1)) {
          next[node] = at + 1
          const target = this.#targets[at] ?? 0
          if (index[target] === -1) enter(target)
          else if (isWaiting[target] === 1) low[node] = Math.min(low[node] ?? 0, index[target] ?? 0)
          continue
        }
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0)
        if (low[node] !== index[node]) continue
        const component = waiting.splice(waiting.lastIndexOf(node))
        for (const member of component) isWaiting[member] = 0
        if (component.length > 1) components.push(component)
      }
    }
    return components
  }

  /** The edges of a shortest way that stays among the members; undefined: there is none. */
  shortestWay(from: number, to: number, members: ReadonlySet<number>): Edge[] | undefined {
    const arrivals = new Map<number, Edge | undefined>([[from, undefined]])
    const queue = [from]
    for (let head = 0; head < queue.length && !arrivals.has(to); head++) {
      for (const edge of this.edges(queue[head] ?? 0)) {
        if (arrivals.has(edge.to) || !members.has(edge.to)) continue
        arrivals.set(edge.to, edge)
        queue.push(edge.to)
      }
    }
    if (!arrivals.has(to)) return undefined
    const way: Edge[] = []
    for (let edge = arrivals.get(to); edge !== undefined; edge = arrivals.get(edge.from)) way.unshift(edge)
    return way
  }

  #start(node: number): number {
    return this.#starts[node] ?? 0
  }
}
