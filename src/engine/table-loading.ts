// Loading the page table at an opening or a rollback: the meta names the directory, the directory the chunks, the
// chunks name the pages. Each is checked against the checksum that stands where it is named, so stale, swapped and
// damaged blocks are found. What is marked as used here is all that is used: free space is not stored.
import {
  DURABLE_LOW,
  EPOCH_LOW,
  IDENTITY,
  IMAGE,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LSN_LOW,
  PREVIOUS_CHECKSUM,
  TIME_LOW
} from '../../assembly/state.ts'
import { assertStatus } from '../kernel/status.ts'
import { sectorsOf } from '../store/block-map.ts'
import { chunkBytes, chunkIds, directoryEntryBytes, entryBytes } from '../store/format.ts'
import type { Core } from './core.ts'
import { damaged } from './damage.ts'

/**
 * Loads the directory and the chunks that the meta names, and marks every block that they name as used. The second
 * copies of both are not read, only kept from being overwritten. Throws `LIGHTNING_CORRUPT` with the damaged part.
 */
export function loadTables(core: Core): void {
  const { meta, memory, data, directory } = core
  const { exports } = core.kernel
  const claim = claiming(core)
  assertStatus(exports.setTableLimit(Math.max(1, meta.tableLimit)), 'the page table')
  if (meta.chunkCount > 0) {
    const bytes = new Uint8Array(meta.directoryBytes)
    data.read(bytes, meta.directorySector)
    if (core.checksum(bytes, 0) !== meta.directoryChecksum || bytes.length !== meta.chunkCount * directoryEntryBytes) {
      throw damaged(core, 'The directory of the page table', meta.directorySector)
    }
    claim('The directory of the page table', meta.directorySector, bytes.length)
    directory.decode(bytes)
    if (meta.directoryCopySector === 0) directory.forgetCopies()
    else claim('The copy of the directory', meta.directoryCopySector, bytes.length)
  }
  const image = memory.word(IMAGE)
  for (let chunk = 0; chunk < directory.length; chunk++) {
    const sector = directory.sector(chunk)
    if (sector === 0 && directory.copySector(chunk) === 0) continue
    if (sector === 0 || directory.bytes(chunk) !== chunkBytes)
      throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    claim(`Chunk ${chunk} of the page table`, sector, chunkBytes)
    const copySector = directory.copySector(chunk)
    if (PLANTED_BUG !== 33 && copySector !== 0)
      claim(`The copy of chunk ${chunk} of the page table`, copySector, chunkBytes)
    data.read(memory.bytes.subarray(image, image + chunkBytes), sector)
    if (PLANTED_BUG !== 15 && exports.xxh32(image, chunkBytes, chunk) >>> 0 !== directory.checksum(chunk)) {
      throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    }
    if (!exports.loadChunk(chunk, image)) throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    const { words } = memory
    for (let i = 0; i < chunkIds; i++) {
      const entry = (image + i * entryBytes) >>> 2
      const named = words[entry] ?? 0
      if (named === 0) continue
      claim('Page', named, (words[entry + 1] ?? 0) & 0xffffff, chunk * chunkIds + i)
    }
  }
  exports.listFreeIds()
  memory.setLong(EPOCH_LOW, meta.epoch + 1)
  memory.setLong(LSN_LOW, meta.lsn + 1)
  memory.setLong(DURABLE_LOW, meta.lsn)
  memory.setLong(TIME_LOW, meta.timeMs)
  memory.setWord(IDENTITY, identityOf(core))
  memory.setWord(PREVIOUS_CHECKSUM, meta.logPrevious)
  memory.setWord(INCARNATION_LOW, meta.incarnation[0])
  memory.setWord(INCARNATION_HIGH, meta.incarnation[1])
  exports.clearLog()
  core.nextTree = meta.nextTree
}

/**
 * Makes a function that marks what the tables name as used. It throws `LIGHTNING_CORRUPT` when the place lies outside
 * the file or is used already: a place that two things name would be freed twice, and one would overwrite the other.
 */
function claiming(core: Core): (what: string, sector: number, bytes: number, page?: number) => void {
  const { data, failure } = core
  // Asked for once: a large database has millions of pages.
  const fileBytes = data.file.size()
  return (what, sector, bytes, page) => {
    // After a failed sync nothing has been forgotten (`resetKernel`), so everything is marked already.
    const isSound =
      data.holds(sector, bytes, fileBytes) &&
      (data.blocks.mark({ sector, sectors: sectorsOf(bytes) }) || failure !== undefined)
    if (!isSound) throw damaged(core, page === undefined ? what : `${what} ${page}`, sector)
  }
}

/** What log frames carry to say which database and timeline they belong to. */
export function identityOf(core: Core): number {
  return core.checksum(core.meta.databaseId, core.checksum(core.meta.timeline, 1))
}
