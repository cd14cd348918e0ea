// A damaged database, opened for reading as far as possible. What cannot be trusted is left out and reported.
import { DURABLE_LOW, IDENTITY } from '../../assembly/state.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { KernelMemory } from '../kernel/kernel-memory.ts'
import type { Kernel } from '../kernel/load.ts'
import { assertStatus } from '../kernel/status.ts'
import { DataFile } from '../store/data-file.ts'
import { blockBytes, chunkIds, dataFileName, logFileNames, metaBytes, sectorBytes } from '../store/format.ts'
import { type Checksum, decodeMeta, isPossible, type Meta } from '../store/meta.ts'
import type { Vfs, VfsFile, VfsLock } from '../vfs/vfs.ts'
import { LogFiles } from '../wal/log-files.ts'
import { checksumOf, Core } from './core.ts'
import { emptyFile, firstMeta } from './creation.ts'
import { defaultPageBytes, type EngineOptions } from './options.ts'
import { resetKernel } from './recovery.ts'
import { withOneBitFlipped } from './repair-bits.ts'
import type { Losses } from './repair-losses.ts'
import { findTables } from './repair-search.ts'
import type { Stages } from './repair-stages.ts'
import { salvageTables } from './repair-tables.ts'
import { identityOf } from './table-loading.ts'

/** What there is to read of a damaged database. */
export interface DamagedDatabase {
  readonly core: Core
  /** Whether a meta was found. Without one, nothing tells where the log begins. */
  readonly hasMeta: boolean
  /** Names of the log files that are not there. */
  readonly missingLogs: readonly string[]
  /** Whether all pages of the newest state are named in the page table that was found. */
  readonly isTableWhole: boolean
  /** The last commit that is certainly in the pages found. */
  readonly lsn: number
  close(): void
}

/** Opens what is there. Throws `LIGHTNING_VERSION`, `LIGHTNING_OUT_OF_MEMORY`, but nothing because of damage. */
export async function openDamaged(
  vfs: Vfs,
  lock: VfsLock,
  kernel: Kernel,
  options: EngineOptions,
  losses: Losses,
  stages: Stages
): Promise<DamagedDatabase> {
  const opened: VfsFile[] = []
  const missingLogs: string[] = []
  for (const name of logFileNames) if (!(await vfs.exists(name))) missingLogs.push(name)
  const close = () => {
    for (const file of opened) file.close()
  }
  const openPatiently = async (name: string): Promise<VfsFile> => {
    if (!(await vfs.exists(name))) return emptyFile(name)
    const file = await vfs.open(name, { readOnly: true })
    opened.push(file)
    return patient(file)
  }
  try {
    const dataFile = await openPatiently(dataFileName)
    const data = new DataFile(dataFile, { maxBytes: Number.POSITIVE_INFINITY, verifyWrites: false })
    const logs: [VfsFile, VfsFile] = [await openPatiently(logFileNames[0]), await openPatiently(logFileNames[1])]
    const logFiles = new LogFiles(logs, false)
    const { dataBlocks, logBlocks } = blocksOf(dataFile, logFiles)
    // Planned twice: the blocks are read once, and the new database is verified at the end.
    stages.plan(dataBlocks * 2 + logBlocks)
    const memory = new KernelMemory(kernel)
    assertStatus(kernel.exports.setUp(defaultPageBytes, 64), 'the cache')
    const checksum: Checksum = (bytes, seed) => checksumOf(kernel, memory, bytes, seed)
    const found = await findMeta(dataFile, checksum, stages)
    const tables = found === undefined ? await findTables({ kernel, memory, data }, undefined, stages) : undefined
    if (found === undefined) tellOfMeta(dataFile, tables !== undefined, losses)
    const meta: Meta = found ?? {
      ...firstMeta(tables?.pageBytes ?? defaultPageBytes),
      lsn: tables?.lsn ?? 0,
      tableLimit: (tables?.chunks.length ?? 0) * chunkIds,
      closed: false
    }
    const core = new Core({
      location: vfs.location,
      options,
      kernel,
      data,
      log: logFiles,
      lock,
      meta
    })
    resetKernel(core)
    assertStatus(kernel.exports.setTableLimit(Math.max(1, meta.tableLimit)), 'the page table')
    const isTableWhole = await salvageTables(core, tables, losses, stages)
    core.memory.setLong(DURABLE_LOW, meta.lsn)
    core.memory.setWord(IDENTITY, identityOf(core))
    return { core, hasMeta: found !== undefined, missingLogs, isTableWhole, lsn: meta.lsn, close }
  } catch (error) {
    close()
    throw error
  }
}

/** What there is to read, in blocks of the data file. */
export function blocksOf(data: VfsFile, log: LogFiles): { readonly dataBlocks: number; readonly logBlocks: number } {
  const logBytes = log.file(0).size() + log.file(1).size()
  return { dataBlocks: Math.ceil(data.size() / blockBytes), logBlocks: Math.ceil(logBytes / blockBytes) }
}

/** The newest meta that is whole, or would be but for one bit. */
async function findMeta(file: VfsFile, checksum: Checksum, stages: Stages): Promise<Meta | undefined> {
  let newest: Meta | undefined
  for (const slot of [0, 1]) {
    const bytes = new Uint8Array(metaBytes)
    if (file.readAt(bytes, slot * blockBytes) < metaBytes) continue
    const meta = decodeMeta(bytes, checksum, file.name) ?? (await mended(bytes, checksum, file.name, stages))
    // The file may have been cut off; numbers that no file can have are none.
    if (meta === undefined || !isPossible(meta, Number.POSITIVE_INFINITY)) continue
    if (newest === undefined || meta.number > newest.number) newest = meta
  }
  return newest
}

async function mended(bytes: Uint8Array, checksum: Checksum, file: string, stages: Stages): Promise<Meta | undefined> {
  if (bytes.every(byte => byte === 0)) return undefined
  let meta: Meta | undefined
  const isMeta = (): boolean => {
    meta = decodeMeta(bytes, checksum, file)
    return meta !== undefined
  }
  await withOneBitFlipped(bytes, isMeta, () => stages.step(0))
  return meta
}

function tellOfMeta(file: VfsFile, hasTables: boolean, losses: Losses): void {
  const isMissing = file.size() === 0
  const reason = isMissing ? `${file.name} is missing or empty` : 'Neither of its meta slots can be read'
  const place = { file: file.name, offset: isMissing ? undefined : 0, isMissing }
  if (!hasTables) losses.other('Lost: everything that stood in the data file.', reason, place)
  else {
    const message = 'Perhaps lost: the newest state of the data file. What was found in it is the newest that is whole.'
    losses.other(message, reason, place)
  }
}

/** A file whose unreadable sectors read as zeros, so that all damage is found by checksums. */
function patient(file: VfsFile): VfsFile {
  const readAt = (into: Uint8Array, offset: number): number => {
    try {
      return file.readAt(into, offset)
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_IO')) throw error
    }
    let length = 0
    while (length < into.length) {
      const part = into.subarray(length, length + sectorBytes - ((offset + length) % sectorBytes))
      const read = readOrZeros(file, part, offset + length)
      length += read
      if (read < part.length) break
    }
    return length
  }
  return {
    name: file.name,
    readAt,
    writeAt: refuse,
    truncate: refuse,
    sync: () => undefined,
    syncAsync: () => Promise.resolve(),
    size: () => file.size(),
    close: () => file.close()
  }
}

function readOrZeros(file: VfsFile, into: Uint8Array, offset: number): number {
  try {
    return file.readAt(into, offset)
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_IO')) throw error
    into.fill(0)
    return Math.max(0, Math.min(into.length, file.size() - offset))
  }
}

function refuse(): never {
  throw new LightningError('LIGHTNING_READ_ONLY', 'What is being repaired is only read. Please report this.')
}
