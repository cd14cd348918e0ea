// The write sets of a transaction as the operations of one commit.
import type { Engine, EngineOperation, Tree } from '../engine/engine.ts'
import { binaryKeys, toBytes } from './binary-key.ts'
import type { KeyRange } from './key-ranges.ts'
import type { TreeView } from './tree-view.ts'
import { type StoredValue, storedValues } from './value-arena.ts'

/** Applies the writes as one commit, or none of them. */
export function applyWrites(engine: Engine, views: readonly TreeView[]): void {
  const [view] = views
  const only = views.length === 1 ? view?.writes?.onlyEntry : undefined
  // A single write need not be staged.
  if (view === undefined || only === undefined || only.value?.isOnDisk === true)
    engine.batch(isSmall(views) ? operationsOf(views) : new CommitOperations(views))
  else if (only.value === null) engine.del(view.tree, only.key, binaryKeys)
  else engine.put(view.tree, only.key, binaryKeys, only.value, storedValues)
}

/** Few operations are walked through faster when they are made once; many would take memory. */
const fewEntries = 64

function isSmall(views: readonly TreeView[]): boolean {
  let entries = 0
  for (const { writes } of views) entries += writes?.entries.size ?? 0
  return entries <= fewEntries
}

/** The same as `CommitOperations` gives, without a generator, whose every step would make an object. */
function operationsOf(views: readonly TreeView[]): EngineOperation[] {
  const operations: EngineOperation[] = []
  for (const { tree, writes } of views) {
    if (writes === undefined) continue
    for (const range of writes.cleared) operations.push(clearing(tree, range))
    for (const { keys, values } of writes.entries.blocks) {
      for (let i = 0; i < keys.length; i++) operations.push(operationOf(tree, keys[i] ?? '', values[i]))
    }
  }
  return operations
}

/** May be walked through several times. */
class CommitOperations implements Iterable<EngineOperation> {
  readonly #views: readonly TreeView[]

  constructor(views: readonly TreeView[]) {
    this.#views = views
  }

  *[Symbol.iterator](): Iterator<EngineOperation> {
    for (const { tree, writes } of this.#views) {
      if (writes === undefined) continue
      for (const range of writes.cleared) yield clearing(tree, range)
      for (const { keys, values } of writes.entries.blocks) {
        for (let i = 0; i < keys.length; i++) yield operationOf(tree, keys[i] ?? '', values[i])
      }
    }
  }
}

function clearing(tree: Tree, { from, to }: KeyRange): EngineOperation {
  return { type: 'clear', tree, lower: toBytes(from), upper: to === undefined ? undefined : toBytes(to) }
}

function operationOf(tree: Tree, key: string, value: StoredValue | null | undefined): EngineOperation {
  if (value === null || value === undefined) return { type: 'del', tree, key, keyEncoding: binaryKeys }
  if (value.isOnDisk) return { type: 'name', tree, key, keyEncoding: binaryKeys, description: value.bytes }
  return { type: 'put', tree, key, keyEncoding: binaryKeys, value, valueEncoding: storedValues }
}
