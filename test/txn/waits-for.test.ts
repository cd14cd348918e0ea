import { describe, expect, it } from 'vitest'
import { findCycle } from '../../src/txn/waits-for.ts'
import { Random } from '../support/random.ts'

interface Edge {
  readonly owner: Node
  readonly blocker: Node
}

class Node {
  readonly name: number
  readonly waits = new Set<Edge>()

  constructor(name: number) {
    this.name = name
  }

  waitFor(blocker: Node): void {
    this.waits.add({ owner: this, blocker })
  }
}

/** Whether `start` can be reached from itself, by trying all ways. */
function reachesItself(start: Node): boolean {
  const reached = new Set<Node>()
  const visit = (node: Node): void => {
    for (const { blocker } of node.waits) {
      if (reached.has(blocker)) continue
      reached.add(blocker)
      visit(blocker)
    }
  }
  visit(start)
  return reached.has(start)
}

describe('a cycle of waits', () => {
  it('is found exactly when there is one, and each of its waits leads to the next', () => {
    const random = new Random(5)
    let found = 0
    for (let round = 0; round < 1_000; round++) {
      const nodes = Array.from({ length: 2 + random.below(10) }, (_, i) => new Node(i))
      for (let i = 0; i < nodes.length; i++) {
        const [from, to] = [nodes[random.below(nodes.length)], nodes[random.below(nodes.length)]]
        if (from !== undefined && to !== undefined && from !== to) from.waitFor(to)
      }
      for (const start of nodes) {
        const cycle = findCycle<Node, Edge>(start)
        expect(cycle !== undefined).toBe(reachesItself(start))
        if (cycle === undefined) continue
        found++
        expect(cycle[0]?.owner).toBe(start)
        for (const [i, { blocker }] of cycle.entries()) expect(blocker).toBe((cycle[i + 1] ?? cycle[0])?.owner)
      }
    }
    expect(found).toBeGreaterThan(100)
  })

  it('is looked for in a long queue without recursion', () => {
    const nodes = Array.from({ length: 50_000 }, (_, i) => new Node(i))
    for (const [i, node] of nodes.entries()) {
      const next = nodes[i + 1]
      if (next !== undefined) node.waitFor(next)
    }
    const [first, last] = [nodes[0], nodes.at(-1)]
    if (first === undefined || last === undefined) throw new Error('no nodes')
    expect(findCycle<Node, Edge>(first)).toBeUndefined()
    last.waitFor(first)
    expect(findCycle<Node, Edge>(first)).toHaveLength(50_000)
  })
})
