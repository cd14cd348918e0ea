// Whether a transaction may commit: what it wrote, locked and, when it is serializable, read must not have been changed
// by any commit since its snapshot. Validation and apply happen without a pause in between, so the order of the commits
// is the order in which they are validated: each is as if it had run alone at that moment.
//
// Why that is enough. A serializable transaction that commits saw, at its snapshot, exactly what it would see now, for
// nothing that it read has changed in between; so it could as well have run now, after all commits before it. One that
// wrote nothing could have run at its snapshot. Hence the order of commits, with readers at their snapshots, is a serial
// order. At the level `snapshot` only the writes are checked (first committer wins).
import type { Engine } from '../engine/engine.ts'
import { showKey } from './binary-key.ts'
import type { RecentWrites } from './recent-writes.ts'
import type { TreeView } from './tree-view.ts'
import type { WriteSet } from './write-set.ts'

export type Isolation = 'serializable' | 'snapshot' | 'read-committed'

/** What the transaction lost against, as a sentence; undefined when it may commit. */
export function conflictOf(
  views: readonly TreeView[],
  isolation: Isolation,
  snapshot: number,
  engine: Engine,
  recent: RecentWrites
): string | undefined {
  const hasWritten = views.some(view => view.writes?.isEmpty === false)
  const usesSnapshot = isolation !== 'read-committed'
  for (const view of views) {
    const { tree, writes, reads, locked } = view
    const id = engine.treeId(tree)
    if (usesSnapshot && hasWritten && recent.isDropped(tree.name, snapshot)) {
      return 'A keyspace that the transaction used was dropped.'
    }
    if (locked !== undefined) {
      for (const { key, readAt } of locked) {
        if (recent.isChanged(id, key, readAt) || recent.isDropped(tree.name, readAt)) return changed(key, 'locked')
      }
    }
    if (!usesSnapshot || !hasWritten || id === 0) continue
    const lost = writes === undefined ? undefined : overwritten(writes, id, snapshot, recent)
    if (lost !== undefined) return changed(lost, 'wrote')
    if (isolation !== 'serializable' || reads === undefined) continue
    if (PLANTED_BUG !== 22) {
      const key = reads.findKey(key => recent.isChanged(id, key, snapshot))
      if (key !== undefined) return changed(key, 'read')
    }
    const phantom = recent.changeIn(id, reads.ranges, snapshot)
    if (PLANTED_BUG !== 23 && phantom !== undefined) return changed(phantom, 'read, or found missing')
  }
  return undefined
}

/** A key that the transaction wrote, or one in a range that it cleared, that another commit has changed since. */
function overwritten(writes: WriteSet, tree: number, snapshot: number, recent: RecentWrites): string | undefined {
  for (const { keys } of writes.entries.blocks) {
    for (const key of keys) if (recent.isChanged(tree, key, snapshot)) return key
  }
  return recent.changeIn(tree, writes.guarded, snapshot)
}

function changed(key: string, verb: string): string {
  return `The key ${showKey(key)}, which the transaction ${verb}, was changed by another commit meanwhile.`
}
