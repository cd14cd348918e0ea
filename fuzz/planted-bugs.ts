// Faults planted on purpose, to see that the tests find them (`npm run planted`). A branch on the constant PLANTED_BUG
// stands where each is; it is 0 in every build but those made for this.

/** One of them. */
export interface PlantedBug {
  readonly number: number
  readonly what: string
  /** The source that has the branch. */
  readonly where: string
  /** Tests that are run first, as arguments of vitest; then come all others. */
  readonly tests: readonly string[]
}

const kernel = ['test/kernel/tree.test.ts', 'test/kernel/model.test.ts', 'test/kernel']
const crash = [
  'test/trials/crash.test.ts',
  'test/trials/faults.test.ts',
  'test/engine/recovery.test.ts',
  'test/engine/failures.test.ts',
  'test/engine',
  'test/trials'
]
const transactions = ['test/txn', 'test/isolation', 'test/db', 'test/trials/isolation.test.ts']

/** In the order of their numbers, which are never used twice. */
export const plantedBugs: readonly PlantedBug[] = [
  { number: 1, what: 'a split loses the entry at the cut', where: 'assembly/node.ts', tests: kernel },
  { number: 2, what: 'a merge loses the first entry of the right page', where: 'assembly/rebalance.ts', tests: kernel },
  { number: 3, what: 'a range deletion takes its upper bound, too', where: 'assembly/clear.ts', tests: kernel },
  {
    number: 4,
    what: 'the checksum of a page is not looked at',
    where: 'assembly/image.ts',
    tests: ['test/kernel/load.test.ts', 'test/engine/recovery.test.ts', 'test/kernel', 'test/engine']
  },
  {
    number: 5,
    what: 'a version is freed although an older snapshot sees it',
    where: 'assembly/versions.ts',
    tests: ['test/kernel/versions.test.ts', ...kernel]
  },
  {
    number: 6,
    what: 'an epoch counts as later than itself',
    where: 'assembly/versions.ts',
    tests: ['test/kernel/versions.test.ts', ...kernel]
  },
  {
    number: 7,
    what: 'LZ4 refers back by one byte more than an offset can say',
    where: 'assembly/lz4.ts',
    tests: ['test/kernel/lz4.test.ts', 'test/kernel']
  },
  {
    number: 8,
    what: 'the checksum of a log frame is not looked at',
    where: 'assembly/log.ts',
    tests: ['test/kernel/log.test.ts', 'test/engine/recovery.test.ts', 'test/kernel', 'test/engine']
  },
  {
    number: 9,
    what: 'the epoch does not carry into its high word',
    where: 'assembly/versions.ts',
    tests: ['test/kernel/high.test.ts', 'test/kernel/versions.test.ts', 'test/kernel']
  },
  {
    number: 10,
    what: 'keys in order are put into a leaf that is not the last',
    where: 'assembly/write.ts',
    tests: kernel
  },
  { number: 11, what: 'the log is not synced', where: 'src/wal/log-files.ts', tests: crash },
  {
    number: 12,
    what: 'the data file is not synced before the meta names it',
    where: 'src/engine/checkpoint.ts',
    tests: crash
  },
  {
    number: 13,
    what: 'the first meta slot is not synced before the second is written',
    where: 'src/engine/checkpoint.ts',
    tests: ['test/engine/order.test.ts', ...crash]
  },
  { number: 14, what: 'the names of the logs are not synced', where: 'src/engine/opening.ts', tests: crash },
  {
    number: 15,
    what: 'the checksum of a chunk of the page table is not looked at',
    where: 'src/engine/table-loading.ts',
    tests: ['test/engine/recovery.test.ts', ...crash]
  },
  {
    number: 16,
    what: 'blocks are used again before the next meta is durable',
    where: 'src/store/pending-extents.ts',
    tests: crash
  },
  {
    number: 17,
    what: 'large values that the log names are not reserved before the replay',
    where: 'src/engine/log-reservations.ts',
    tests: crash
  },
  {
    number: 18,
    what: 'the erasure of rejected frames is not synced',
    where: 'src/wal/log-files.ts',
    tests: ['test/engine/rejected.test.ts', ...crash]
  },
  { number: 19, what: 'a write is acknowledged before the sync', where: 'src/engine/committer.ts', tests: crash },
  { number: 20, what: 'freed pages stay counted', where: 'assembly/versions.ts', tests: kernel },
  {
    number: 21,
    what: 'a commit does not wait for locks that others hold',
    where: 'src/txn/transaction.ts',
    tests: transactions
  },
  { number: 22, what: 'keys that were read are not validated', where: 'src/txn/validation.ts', tests: transactions },
  { number: 23, what: 'ranges that were read are not validated', where: 'src/txn/validation.ts', tests: transactions },
  {
    number: 24,
    what: 'a snapshot outlives the rollback of what it saw',
    where: 'src/engine/snapshots.ts',
    tests: ['test/engine/failures.test.ts', 'test/trials/faults.test.ts', 'test/db', 'test/engine']
  },
  {
    number: 25,
    what: 'negative numbers in tuples are in reverse order',
    where: 'src/encoding/growing-bytes.ts',
    tests: ['test/encoding/tuple.test.ts', 'test/encoding']
  },
  {
    number: 26,
    what: 'a savepoint is gone when it is returned to',
    where: 'src/txn/savepoint.ts',
    tests: transactions
  },
  {
    number: 27,
    what: 'who waits does not wait for those before it in the queue',
    where: 'src/txn/locks.ts',
    tests: ['test/txn/queue.test.ts', ...transactions]
  },
  {
    number: 28,
    what: 'commits that were durable and are missing are not missed',
    where: 'src/engine/log-checks.ts',
    tests: ['test/engine/recovery.test.ts', ...crash]
  },
  {
    number: 29,
    what: 'frames that could be read count as durable',
    where: 'src/engine/recovery.ts',
    tests: ['test/engine/readable.test.ts', ...crash]
  },
  {
    number: 30,
    what: 'a frame is written before the large value that it names is synced',
    where: 'src/engine/core.ts',
    tests: crash
  },
  {
    number: 31,
    what: 'the first commit after a clean close leaves the mark of the close',
    where: 'src/engine/incarnation.ts',
    tests: ['test/engine/recovery.test.ts', ...crash]
  },
  {
    number: 32,
    what: 'a write changes what an iterator or a savepoint has pinned',
    where: 'src/txn/sorted-map.ts',
    tests: transactions
  },
  {
    number: 33,
    what: 'blocks of the copies of the page table count as free after an opening',
    where: 'src/engine/table-loading.ts',
    tests: ['test/engine/copies.test.ts', ...crash]
  },
  {
    number: 34,
    what: 'a sync in the pool acknowledges commits that were made after it began',
    where: 'src/engine/committer.ts',
    tests: ['test/engine/pool-flush.test.ts', ...crash]
  },
  {
    number: 35,
    what: 'the next zeros of the log are written where its last frames stand',
    where: 'src/wal/log-files.ts',
    tests: ['test/engine/log-ahead.test.ts', ...crash]
  },
  {
    number: 36,
    what: 'a put goes on writing where a commit stands that its encoding has made',
    where: 'src/engine/writer.ts',
    tests: ['test/engine/staged-puts.test.ts', ...crash]
  },
  {
    number: 37,
    what: 'leaves that were found for staged puts are taken for right although pages have left memory',
    where: 'assembly/staged.ts',
    tests: ['test/kernel/staged.test.ts', ...kernel]
  },
  {
    number: 38,
    what: 'a get does not see staged puts',
    where: 'src/engine/core.ts',
    tests: ['test/engine/staged-puts.test.ts', ...crash]
  },
  {
    number: 39,
    what: "a leaf's filter is kept although its keys change",
    where: 'assembly/absence.ts',
    tests: ['test/kernel/absence.test.ts', ...kernel]
  },
  {
    number: 40,
    what: 'a page that a checkpoint has not written is changed where it stands',
    where: 'assembly/versions.ts',
    tests: ['test/kernel/versions.test.ts', ...kernel]
  }
]
