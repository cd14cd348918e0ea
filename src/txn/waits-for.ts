// Who waits for whom. A deadlock is a cycle of waits. Cycles are looked for when a wait begins, since only that can
// complete one, and every cycle that it completes leads through the transaction that begins to wait.
//
// In a queue each transaction waits for the one before it, and only the first for the holder, so that a long queue has
// only as many edges as members. This reaches the same transactions as edges from each to all before it would.

/** A longer path may be a cycle: the full search decides. */
const mostStepsWithoutNotes = 1_000

/** Somebody who may wait for several things at once. */
export interface Waiting<W> {
  readonly waits: ReadonlySet<W>
}

/** One wait. */
export interface Wait<O> {
  /** Who waits. */
  readonly owner: O
  /** Who stands directly in the way. */
  readonly blocker: O
}

/** The waits that lead from `start` back to itself, in order; undefined when there is no such cycle. */
export function findCycle<O extends Waiting<W>, W extends Wait<O>>(start: O): W[] | undefined {
  return endsSoon<O, W>(start) ? undefined : search<O, W>(start)
}

/**
 * Whether a short path without branches leads to somebody who waits for nothing: the usual case, found without a
 * search.
 */
function endsSoon<O extends Waiting<W>, W extends Wait<O>>(start: O): boolean {
  let at = start
  for (let steps = 0; at.waits.size === 1; steps++) {
    if (steps === mostStepsWithoutNotes) return false
    for (const wait of at.waits) at = wait.blocker
  }
  return at.waits.size === 0
}

function search<O extends Waiting<W>, W extends Wait<O>>(start: O): W[] | undefined {
  const seen = new Set<O>([start])
  const path: W[] = []
  const open: Iterator<W>[] = [start.waits[Symbol.iterator]()]
  while (open.length > 0) {
    const step = open.at(-1)?.next()
    if (step === undefined || step.done === true) {
      open.pop()
      path.pop()
      continue
    }
    const { blocker } = step.value
    if (blocker === start) return [...path, step.value]
    if (seen.has(blocker)) continue
    seen.add(blocker)
    path.push(step.value)
    open.push(blocker.waits[Symbol.iterator]())
  }
  return undefined
}
