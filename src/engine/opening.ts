// Opening: first the lock, then a look at which files are there, then recovery. An opening that fails leaves the files
// and the lock as it found them.
import { ARENA, DURABLE_LOW, IMAGE } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import { KernelMemory } from '../kernel/kernel-memory.ts'
import { type Kernel, loadKernel } from '../kernel/load.ts'
import { DataFile } from '../store/data-file.ts'
import { dataFileName, logFileNames } from '../store/format.ts'
import type { Checksum, Meta } from '../store/meta.ts'
import type { Vfs, VfsFile, VfsLock } from '../vfs/vfs.ts'
import { LogFiles } from '../wal/log-files.ts'
import { checksumOf, Core } from './core.ts'
import { createDataFile, emptyFile } from './creation.ts'
import { finishDestruction, isDestroyed } from './destruction.ts'
import { checkLogReachesStart, checkNothingDurableIsMissing } from './log-checks.ts'
import type { EngineOptions } from './options.ts'
import { makeDurable, replay, writeMetas } from './recovery.ts'
import { finishRepair, unfinishedRepair } from './repair-files.ts'

/** Opens the database in `vfs`, or creates it, and recovers it. */
export async function openCore(vfs: Vfs, options: EngineOptions): Promise<Core> {
  const existed = await vfs.prepare({ create: options.createIfMissing && !options.readOnly })
  if (!existed && options.readOnly) throw notFound(vfs, options)
  const [kernel, lock] = await both(loadKernel(options.wasm), vfs.lock(options.readOnly ? 'shared' : 'exclusive'))
  try {
    await checkPresence(vfs, lock, kernel, options)
    return await openFiles(vfs, lock, kernel, options)
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Waits for both. When the kernel cannot be loaded, a lock that was taken is released. */
async function both(loading: Promise<Kernel>, locking: Promise<VfsLock>): Promise<[Kernel, VfsLock]> {
  const [kernel, lock] = await Promise.allSettled([loading, locking])
  if (lock.status === 'rejected') throw lock.reason
  if (kernel.status === 'fulfilled') return [kernel.value, lock.value]
  await lock.value.release()
  throw kernel.reason
}

async function checkPresence(vfs: Vfs, lock: VfsLock, kernel: Kernel, options: EngineOptions): Promise<void> {
  const mayCreate = options.createIfMissing && !options.readOnly
  let isThere = await vfs.exists(dataFileName)
  if (!isThere && (await isDestroyed(vfs))) {
    if (!mayCreate) throw notFound(vfs, options)
    await finishDestruction(vfs)
  } else if (!isThere) isThere = await wasRepaired(vfs, options)
  if (isThere) {
    if (!options.errorIfExists) return
    throw new LightningError(
      'LIGHTNING_EXISTS',
      `There is a database at ${vfs.location} already. Open it without errorIfExists, or elsewhere.`
    )
  }
  for (const name of logFileNames) {
    if (!(await vfs.exists(name))) continue
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `${vfs.location} has ${name} but no ${dataFileName}. Put the data file back, or restore a backup; ` +
        'repair brings back what the log holds.',
      { file: name }
    )
  }
  if (!mayCreate) throw notFound(vfs, options)
  await createDataFile(vfs, lock, kernel, options)
}

/** Finishes a repair that was interrupted while it exchanged the files. True: there is a data file now. */
async function wasRepaired(vfs: Vfs, options: EngineOptions): Promise<boolean> {
  if (!options.readOnly) return finishRepair(vfs)
  if ((await unfinishedRepair(vfs)) === undefined) return false
  throw new LightningError(
    'LIGHTNING_CORRUPT',
    `A repair of ${vfs.location} was interrupted. Open it once for writing, which ends the repair.`,
    { file: dataFileName }
  )
}

async function openFiles(vfs: Vfs, lock: VfsLock, kernel: Kernel, options: EngineOptions): Promise<Core> {
  const opened: VfsFile[] = []
  try {
    const { readOnly, verifyWrites } = options
    const dataFile = await vfs.open(dataFileName, { readOnly })
    opened.push(dataFile)
    const data = new DataFile(dataFile, { maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY, verifyWrites })
    const { meta, isInBoth } = data.readMeta(bareChecksum(kernel))
    const present = await Promise.all(logFileNames.map(name => vfs.exists(name)))
    // The data file's name must be durable before there are logs, since logs without a data file count as damage.
    if (!readOnly && present.includes(false)) await vfs.syncDirectory()
    const nextLog = async (i: 0 | 1): Promise<VfsFile> => {
      const log = await openLog(vfs, logFileNames[i], present[i] === true, meta, readOnly)
      opened.push(log)
      return log
    }
    const logs = [await nextLog(0), await nextLog(1)] as const
    // The logs' names must be durable before the first commit. The tables are loaded meanwhile.
    const named = readOnly || PLANTED_BUG === 14 ? Promise.resolve() : vfs.syncDirectory()
    named.catch(() => undefined)
    const core = new Core({
      location: vfs.location,
      options,
      kernel,
      data,
      log: new LogFiles(logs, verifyWrites),
      lock,
      meta,
      freeBytes: () => vfs.freeBytes?.()
    })
    // Before the replay, which may write to blocks that only another meta names.
    if (!isInBoth && !readOnly) writeMetas(core)
    recover(core)
    await named
    tellOpened(core, !meta.closed)
    return core
  } catch (error) {
    for (const file of opened) file.close()
    throw error
  }
}

function tellOpened({ location, options, appliedLsn, meta }: Core, wasOpen: boolean): void {
  if (!wasOpen) options.logger?.debug('Opened', { location, sequence: appliedLsn })
  else {
    const commits = appliedLsn - meta.lsn
    options.logger?.info('Opened a database that had not been closed', { location, sequence: appliedLsn, commits })
  }
}

function recover(core: Core): void {
  checkLogReachesStart(core)
  const end = replay(core)
  const isEmpty = core.log.file(0).size() === 0 && core.log.file(1).size() === 0
  if (!isEmpty) checkNothingDurableIsMissing(core, end)
  if (end.hasFrames && !core.options.readOnly) makeDurable(core, end)
  core.durableLsn = end.lsn
  core.memory.setLong(DURABLE_LOW, end.lsn)
}

async function openLog(vfs: Vfs, name: string, exists: boolean, meta: Meta, readOnly: boolean): Promise<VfsFile> {
  if (!exists && !meta.closed) {
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `${vfs.location} misses its log ${name}, which may hold what was written last. Put it back, restore a backup, or run ` +
        'repair, which gives the state without it.',
      { file: name }
    )
  }
  if (!exists && readOnly) return emptyFile(name)
  return vfs.open(name, { create: true, readOnly })
}

/**
 * Checksums of metas before the kernel is set up, which needs the page size, which stands in the meta. Setting it up
 * twice would touch a MiB of memory for nothing.
 */
function bareChecksum(kernel: Kernel): Checksum {
  const memory = new KernelMemory(kernel)
  return (bytes, seed) => {
    if (memory.word(IMAGE) !== 0) return checksumOf(kernel, memory, bytes, seed)
    // A work area will begin here, and nobody expects zeros in it.
    memory.bytes.set(bytes, ARENA)
    return kernel.exports.xxh32(ARENA, bytes.length, seed) >>> 0
  }
}

function notFound(vfs: Vfs, { readOnly }: EngineOptions): LightningError {
  const otherwise = readOnly ? '' : ', or open it with createIfMissing'
  return new LightningError(
    'LIGHTNING_NOT_FOUND',
    `There is no database at ${vfs.location}. Check the location${otherwise}.`
  )
}
