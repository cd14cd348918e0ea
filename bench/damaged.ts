// A database of gigabytes with flipped bits in it: how long `verify` and `repair` take, in how much memory, and what is lost.
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isLightningError, type LostPart, open, repair } from '../src/index.ts'
import { describeMachine } from './machine.ts'
import { countFor, keyOf, loadAll, MemoryWatch, mostValueBytes, step, valueFor } from './many-entries.ts'
import type { BenchOptions } from './options.ts'
import { generator } from './random.ts'
import { saveResults } from './results.ts'
import { ScratchDirectory } from './scratch-directory.ts'
import { runDamaged } from './task.ts'

/** What each of the processes does, in this order. */
export type DamagedPhase = 'load' | 'verify' | 'repair'

/** A database, and what to do with it. */
export interface DamagedTask {
  readonly type: 'damaged'
  readonly phase: DamagedPhase
  readonly path: string
  readonly count: number
}

/** How a phase went. */
export interface PhaseResult {
  readonly seconds: number
  /** Of the process, without what it had before. */
  readonly grownMiB: number
  /** What `verify` found, or `repair` lost; of an opening that was refused its message. */
  readonly messages: readonly string[]
  /** Entries that are not there any more. */
  readonly lostEntries?: number
}

const loadCacheBytes = 256 << 20
/** The usual one of `open` and `repair`. */
const cacheBytes = 64 << 20
const flippedBits = 100
/** Of `repair`, beside its cache. */
const mostMoreMiB = 100

export async function benchDamaged({ gigabytes, directory, record }: BenchOptions): Promise<void> {
  using scratch = new ScratchDirectory(directory, 'damaged')
  const { path } = scratch
  const count = countFor(gigabytes)
  const phase = (name: DamagedPhase) => runDamaged({ type: 'damaged', phase: name, path, count })
  const load = await phase('load')
  const dataBytes = statSync(join(path, 'data.ldb')).size
  flipBits(path)
  const verified = await phase('verify')
  const repaired = await phase('repair')
  const repairedBytes = statSync(join(path, 'data.ldb')).size
  const isWithin = repaired.grownMiB <= (cacheBytes >>> 20) + mostMoreMiB
  process.stdout.write(
    [
      '',
      `${count.toLocaleString('en')} entries, ${(dataBytes / 1e9).toFixed(2)} GB on disk, ${flippedBits} bits flipped`,
      `load    ${load.seconds.toFixed(1)} s`,
      `verify  ${verified.seconds.toFixed(1)} s, ${verified.grownMiB} MiB, ${verified.messages.length} problems`,
      `repair  ${repaired.seconds.toFixed(1)} s, ${repaired.grownMiB} MiB: ${isWithin ? 'within' : 'over'} its cache and ${mostMoreMiB} MiB`,
      `lost    ${repaired.lostEntries} entries in ${repaired.messages.length} parts`,
      `size    ${(repairedBytes / 1e9).toFixed(2)} GB after it`,
      ''
    ].join('\n')
  )
  const figures = { gigabytes, count, dataBytes, flippedBits, cacheBytes, verified: brief(verified) }
  await saveResults(
    'damaged',
    { machine: describeMachine(), ...figures, repaired: brief(repaired), repairedBytes },
    record
  )
  if (!isWithin) process.exitCode = 1
}

/** In a process of its own. */
export async function doDamagedPhase({ phase, path, count }: DamagedTask): Promise<PhaseResult> {
  const watch = new MemoryWatch()
  const atStart = process.memoryUsage.rss()
  const result = (seconds: number, messages: readonly string[]) => ({
    seconds,
    grownMiB: Math.round((watch.highest - atStart) / (1 << 20)),
    messages
  })
  if (phase === 'load') {
    const options = { valueEncoding: 'view', durability: 'relaxed', cacheBytes: loadCacheBytes } as const
    return result(await step('load', watch, () => loadAll(path, options, count, watch)), [])
  }
  if (phase === 'verify') {
    let messages: readonly string[] = []
    const seconds = await step('verify', watch, async () => {
      messages = await problemsOf(path, watch)
    })
    return result(seconds, messages)
  }
  let lost: readonly LostPart[] = []
  const seconds = await step('repair', watch, async () => {
    lost = (await repair(path, { cacheBytes, onProgress: () => watch.look() })).lost
  })
  const done = result(
    seconds,
    lost.map(({ message }) => message)
  )
  return { ...done, lostEntries: await checkAll(path, count, lost) }
}

/** The same bits in every run over the same database. */
function flipBits(path: string): void {
  const random = generator(5)
  const file = openSync(join(path, 'data.ldb'), 'r+')
  const { size } = statSync(join(path, 'data.ldb'))
  const byte = new Uint8Array(1)
  for (let i = 0; i < flippedBits; i++) {
    const at = Math.floor((random() / 2 ** 32) * size)
    readSync(file, byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ (1 << (random() & 7))
    writeSync(file, byte, 0, 1, at)
  }
  closeSync(file)
}

async function problemsOf(path: string, watch: MemoryWatch): Promise<readonly string[]> {
  try {
    const database = await open(path, { cacheBytes })
    const { problems } = await database.verify({ onProgress: () => watch.look() })
    await database.close()
    return problems.map(({ message }) => message)
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
    return [error.message]
  }
}

/** Compares every entry that is left with what was written; those that are missing must have been told. Their number. */
async function checkAll(path: string, count: number, lost: readonly LostPart[]): Promise<number> {
  const found = new Uint8Array(count)
  const room = new Uint8Array(mostValueBytes)
  const database = await open<string, Uint8Array>(path, { valueEncoding: 'view', readOnly: true, cacheBytes })
  for (const [key, value] of database.entries()) {
    const index = Number(key.slice(key.indexOf(':') + 1))
    if (key !== keyOf(index) || Buffer.compare(value, valueFor(index, room)) !== 0) {
      throw new Error(`${key} is not as it was written`)
    }
    found[index] = 1
  }
  await database.close()
  const encoder = new TextEncoder()
  let missing = 0
  for (let index = 0; index < count; index++) {
    if (found[index] === 1) continue
    missing++
    if (!lost.some(part => isIn(encoder.encode(keyOf(index)), part)))
      throw new Error(`${keyOf(index)} is missing untold`)
  }
  return missing
}

function isIn(key: Uint8Array, { keyRange }: LostPart): boolean {
  if (keyRange === undefined) return false
  const { from, to } = keyRange
  return (from === undefined || Buffer.compare(key, from) >= 0) && (to === undefined || Buffer.compare(key, to) < 0)
}

function brief({ messages, ...rest }: PhaseResult) {
  return { ...rest, found: messages.length, first: messages.slice(0, 5) }
}
