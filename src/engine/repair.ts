// Repair: everything in the damaged database that can be read goes into a new one, which then takes its place.
//
// The damaged files are only read until the new data file is complete, verified and on stable storage; then the files
// are renamed (`repair-files.ts`). So a repair that is interrupted or fails has changed nothing and can be run again.
// The new database is filled from the leaves that the page table names; then the operations of the log are applied to
// it. The damaged tree is never written, so only its leaves need be sound.
import { dataFileName, logFileNames } from '../store/format.ts'
import { LightningError } from '../errors.ts'
import { loadKernel } from '../kernel/load.ts'
import type { Vfs, VfsLock } from '../vfs/vfs.ts'
import type { CareOptions, Progress } from './long-operations.ts'
import { isDestroyed } from './destruction.ts'
import { Engine } from './engine.ts'
import type { EngineOptions } from './options.ts'
import { Pace } from './pace.ts'
import { readingOptions } from './reading-options.ts'
import { exchange, nextRepair, sweepRepairs } from './repair-exchange.ts'
import { finishRepair, unfinishedRepair } from './repair-files.ts'
import { type LostPart, Losses } from './repair-losses.ts'
import { salvageLog } from './repair-log.ts'
import { PageSalvage } from './repair-pages.ts'
import { blocksOf, type DamagedDatabase, openDamaged } from './repair-source.ts'
import { Stages } from './repair-stages.ts'
import { RepairTarget } from './repair-target.ts'
import { RepairVfs } from './repair-vfs.ts'

export type { LostPart } from './repair-losses.ts'

/** What `repair` has done. */
export interface RepairReport {
  /** Entries that the repaired database has, in all keyspaces. */
  readonly recovered: number
  /** What could not be read; empty when nothing is lost. */
  readonly lost: readonly LostPart[]
}

export interface RepairOptions extends CareOptions {
  /** Bytes of memory for pages, shared by the damaged and the new database. */
  readonly cacheBytes: number
}

/** Log of the new database, kept in memory, that starts a checkpoint. */
const walBytes = 4 * 1_024 * 1_024

/**
 * Repairs the database in `vfs`. Throws `LIGHTNING_NOT_FOUND`, `LIGHTNING_LOCKED`, `LIGHTNING_ABORTED`,
 * `LIGHTNING_DISK_FULL` and what else the system reports; then the files are as they were.
 */
export async function repair(vfs: Vfs, options: RepairOptions): Promise<RepairReport> {
  new Pace(options).check()
  if (!(await vfs.prepare({ create: false }))) throw notFound(vfs)
  const lock = await vfs.lock('exclusive')
  try {
    if (!(await vfs.exists(dataFileName))) {
      if (await isDestroyed(vfs)) throw notFound(vfs)
      if (!(await finishRepair(vfs))) await checkPresence(vfs)
    }
    await sweepRepairs(vfs)
    return await repairLocked(vfs, lock, options)
  } finally {
    await lock.release()
  }
}

async function checkPresence(vfs: Vfs): Promise<void> {
  for (const name of logFileNames) if (await vfs.exists(name)) return
  throw notFound(vfs)
}

async function repairLocked(vfs: Vfs, lock: VfsLock, options: RepairOptions): Promise<RepairReport> {
  const number = await nextRepair(vfs)
  const losses = new Losses(number)
  const sourceOptions = { ...readingOptions, cacheBytes: Math.floor(options.cacheBytes / 2) }
  const kernel = await loadKernel(sourceOptions.wasm)
  const stages = new Stages(new Pace(options))
  const damaged = await openDamaged(vfs, lock, kernel, sourceOptions, losses, stages)
  try {
    const recovered = await rebuildIn(vfs, lock, damaged, losses, stages, options)
    damaged.close()
    checkLock(lock, vfs)
    await exchange(vfs, number)
    return { recovered, lost: losses.parts }
  } catch (error) {
    damaged.close()
    // The error that led here matters more than leftover files, which the next repair removes.
    await sweepUnlessExchanged(vfs).catch(() => undefined)
    throw error
  }
}

/** Makes the new data file. Returns how many entries it has. */
async function rebuildIn(
  vfs: Vfs,
  lock: VfsLock,
  damaged: DamagedDatabase,
  losses: Losses,
  stages: Stages,
  options: RepairOptions
): Promise<number> {
  const { core } = damaged
  const { dataBlocks, logBlocks } = blocksOf(core.data.file, core.log)
  const targetOptions: EngineOptions = {
    ...readingOptions,
    createIfMissing: true,
    readOnly: false,
    durability: 'relaxed',
    pageSize: core.meta.pageBytes,
    cacheBytes: Math.floor(options.cacheBytes / 2),
    walBytes
  }
  const place = new RepairVfs(vfs, lock)
  const engine = await Engine.open(place, targetOptions)
  let entries: number
  try {
    const target = new RepairTarget(engine)
    stages.begin(dataBlocks)
    await new PageSalvage(core, target, losses, stages).run(damaged.isTableWhole)
    stages.begin(logBlocks)
    await salvageLog(damaged, target, losses, stages)
    target.flush()
    for (const [id, name] of target.unnamed) {
      const message = `The name of a sublevel is lost: its entries are in the sublevel ${JSON.stringify(name)} now.`
      losses.other(message, `The catalog does not tell the name of keyspace ${id}`)
    }
    await engine.checkpoint()
    stages.begin(dataBlocks)
    entries = await verified(engine, options, stages)
  } catch (error) {
    // What it could not write any more matters less than why it ends.
    await engine.close().catch(() => undefined)
    throw error
  }
  await engine.close()
  // The log of the new database is in memory only: what is not in its pages by now would be lost.
  if (!engine.isFolded) throw diskFull(vfs)
  return entries
}

async function verified(engine: Engine, options: RepairOptions, stages: Stages): Promise<number> {
  const onProgress = ({ done, total }: Progress) => stages.tell(total === 0 ? 1 : done / total)
  const report = await engine.verify({ signal: options.signal, onProgress })
  const [problem] = report.problems
  if (problem === undefined) return report.entries
  throw new LightningError(
    'LIGHTNING_IO',
    `The repaired database does not read back as it was written: ${problem.message} The damaged one is as it was. ` +
      'Check the disk and the memory, copy the directory elsewhere and repair the copy.',
    { file: problem.file, offset: problem.offset }
  )
}

/** Once the damaged data file has been moved away, the repaired one must stay to take its place. */
async function sweepUnlessExchanged(vfs: Vfs): Promise<void> {
  if ((await vfs.exists(dataFileName)) || (await unfinishedRepair(vfs)) === undefined) await sweepRepairs(vfs)
}

function checkLock(lock: VfsLock, vfs: Vfs): void {
  if (lock.ours()) return
  throw new LightningError(
    'LIGHTNING_LOCKED',
    `The lock of the database at ${vfs.location} was taken away. Repair anew.`
  )
}

function diskFull(vfs: Vfs): LightningError {
  return new LightningError(
    'LIGHTNING_DISK_FULL',
    `The disk under ${vfs.location} has no space for the end of the repaired database. The damaged one is as it was. ` +
      'Free some space and repair anew.'
  )
}

function notFound(vfs: Vfs): LightningError {
  return new LightningError('LIGHTNING_NOT_FOUND', `There is no database at ${vfs.location}. Check the location.`)
}
