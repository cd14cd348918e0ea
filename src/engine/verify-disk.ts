// Verification of what stands around the pages: the meta slots, the directory and its copy, and who has which blocks.
import { TABLE_LIMIT } from '../../assembly/state.ts'
import { BlockMap, type Extent, sectorsOf } from '../store/block-map.ts'
import { blockBytes, chunkBytes, metaBytes, sectorBytes } from '../store/format.ts'
import { decodeMeta } from '../store/meta.ts'
import type { Core } from './core.ts'
import type { VerifyProblem } from './verify.ts'

/** Both slots must hold a whole meta, none older than the newest durable one; and the directory that it names. */
export function checkMetas(core: Core): readonly VerifyProblem[] {
  const { data, meta, options } = core
  const file = data.file.name
  const problems: VerifyProblem[] = []
  // A reader may meet a crash between the two slots; who opens for writing has put the newest into both.
  const slots = core.isMetaUncertain || (options.readOnly && !meta.closed) ? [] : [0, 1]
  for (const slot of slots) {
    const offset = slot * blockBytes
    const bytes = new Uint8Array(metaBytes)
    const length = data.file.readAt(bytes, offset)
    const found = decodeMeta(bytes.subarray(0, length), core.checksum, file)
    if (found !== undefined && found.number >= meta.number) continue
    const what = found === undefined ? 'is damaged' : 'holds an older state'
    problems.push({ message: `Meta slot ${slot} ${what}. A checkpoint writes it anew.`, file, offset })
  }
  if (meta.chunkCount === 0) return problems
  const isWhole = (sector: number): boolean => {
    const bytes = new Uint8Array(meta.directoryBytes)
    const length = data.file.readAt(bytes, sector * sectorBytes)
    return length === bytes.length && core.checksum(bytes, 0) === meta.directoryChecksum
  }
  if (!isWhole(meta.directorySector)) {
    const message =
      'The directory of the page table is damaged on disk; it is whole in memory. Back up now, then repair.'
    problems.push({ message, file, offset: meta.directorySector * sectorBytes })
  }
  if (meta.directoryCopySector !== 0 && !isWhole(meta.directoryCopySector)) {
    const message = 'The copy of the directory is damaged. Nothing is lost: the next checkpoint writes it anew.'
    problems.push({ message, file, offset: meta.directoryCopySector * sectorBytes })
  }
  return problems
}

/** Page ids looked at in one step. */
const stepIds = 256
/** When the blocks have changed so often while they were looked at, it is done in one go. */
const mostAttempts = 4

/**
 * Nothing may share sectors with anything else, all that is named must count as used, and all that is used be named.
 * `sequence` is the commit that is verified; `turn` lets other work run: when that takes or gives blocks, the look at
 * them begins anew.
 */
export async function checkExtents(
  core: Core,
  sequence: number,
  turn: () => Promise<void>
): Promise<readonly VerifyProblem[]> {
  for (let attempt = 1; ; attempt++) {
    const { blocks } = core.data
    const { changes } = blocks
    const isSame = () => core.data.blocks === blocks && blocks.changes === changes
    const steps = extentSteps(core, sequence)
    let step = steps.next()
    while (step.done !== true) {
      if (attempt < mostAttempts) {
        await turn()
        if (!isSame()) break
      }
      step = steps.next()
    }
    if (step.done === true) return step.value
  }
}

function* extentSteps(core: Core, sequence: number): Generator<undefined, readonly VerifyProblem[], undefined> {
  const { memory, kernel, data, directory, meta } = core
  const file = data.file.name
  const problems: VerifyProblem[] = []
  const blocks = new BlockMap()
  const claim = (what: string, extent: Extent, page?: number): void => {
    const offset = extent.sector * sectorBytes
    if (!blocks.mark(extent)) {
      const message = `${what} shares its place with another. Restore a backup, or run repair.`
      problems.push({ message, file, page, offset })
    }
    if (!data.blocks.isMarked(extent)) {
      const message = `${what} lies in blocks that count as free. Close the database and run repair.`
      problems.push({ message, file, page, offset })
    }
  }
  for (let id = 1; id < memory.word(TABLE_LIMIT); id++) {
    if (id % stepIds === 0) yield
    const entry = kernel.exports.entryAt(id, 0) >>> 0
    const sector = memory.word(entry)
    if (sector === 0) continue
    claim(`The image of page ${id}`, { sector, sectors: sectorsOf(memory.word(entry + 4) & 0xffffff) }, id)
  }
  for (let chunk = 0; chunk < directory.length; chunk++) {
    const sectors = sectorsOf(chunkBytes)
    const sector = directory.sector(chunk)
    if (sector !== 0) claim(`Chunk ${chunk} of the page table`, { sector, sectors })
    const copySector = directory.copySector(chunk)
    if (copySector !== 0) claim(`The copy of chunk ${chunk} of the page table`, { sector: copySector, sectors })
  }
  if (meta.chunkCount > 0) {
    const sectors = sectorsOf(meta.directoryBytes)
    claim('The directory', { sector: meta.directorySector, sectors })
    if (meta.directoryCopySector !== 0)
      claim('The copy of the directory', { sector: meta.directoryCopySector, sectors })
  }
  const unnamed = data.blocks.usedBlocks - blocks.usedBlocks
  if (unnamed > 0 && isQuiet(core, sequence)) {
    const message = `${unnamed} blocks count as used but nothing names them. Closing and opening gives them back.`
    problems.push({ message, file })
  }
  return problems
}

/** Whether nothing may rightly have blocks that no entry of the newest state names. */
function isQuiet(core: Core, sequence: number): boolean {
  const { snapshots, pending, largeWritten, options, durableLsn, appliedLsn, meta } = core
  if (options.readOnly || snapshots.size > 1 || pending.isCheckpointing || pending.sectors > 0) return false
  // What was committed since is newer than what the snapshot of this very verification keeps.
  if (appliedLsn !== sequence) return false
  // Large values are written ahead of the commit that names them; frames of the log may name some that are gone.
  return largeWritten === 0 && durableLsn === appliedLsn && meta.lsn === appliedLsn
}
