// The databases that rot, with everything that is known of them: their states, and what stands where on their disk.
import { assert } from '../../src/errors.ts'
import { blockBytes, dataFileName, logFileNames } from '../../src/store/format.ts'
import { type Anatomy, anatomyOf } from '../../test/support/anatomy.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from '../../test/engine/content.ts'
import type { DiskState } from '../../test/support/disk-state.ts'
import { Random } from '../../test/support/random.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import type { BaseName } from './rot-case.ts'

export interface RotBase {
  readonly isClosed: boolean
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The files as they were some checkpoints ago. */
  readonly older: ReadonlyMap<string, Uint8Array>
  /** What the database held after each commit since the last checkpoint, the newest first. */
  readonly states: readonly Content[]
  /** The pages as the last checkpoint has them. */
  readonly anatomy: Anatomy
}

/** Commits behind the last checkpoint of a database that crashed. */
const laterCommits = 12

export async function makeBase(name: BaseName): Promise<RotBase> {
  const random = new Random(5)
  const disk = new SimulatedDisk(1)
  const walBytes = 1 << 20
  const engine = await openEngine(disk.vfs(), { walBytes })
  const scale = name === 'large' ? 40 : 1
  const put = (sublevel: string, key: string, value: string): void => {
    engine.put(engine.tree(path(sublevel)), key, utf8, value, utf8)
  }
  for (let i = 0; i < 60 * scale; i++) put('', keyOf(i), someText(random, 20 + random.below(60)))
  for (let i = 0; i < 20 * scale; i++) put('one', keyOf(i), someText(random, 20))
  put('two', 'only', 'entry')
  for (let i = 0; i < 2 * scale; i += scale) put('', `large ${i}`, someText(random, 3_000 * scale))
  await engine.checkpoint()
  const older = filesOf(disk.state())
  // Pages move, so that older images of them stand in free blocks.
  for (let round = 0; round < 4; round++) {
    for (let i = round; i < 60 * scale; i += 9) put('', keyOf(i), someText(random, 30 + random.below(60)))
    engine.del(engine.tree(path('one')), keyOf(round), utf8)
    await engine.checkpoint()
  }
  const states = [contentOf(engine)]
  if (name === 'crashed') {
    const checkpointed = await checkpointOf(disk)
    for (let i = 0; i < laterCommits; i++) {
      if (i % 4 === 3) engine.del(engine.tree(path('')), keyOf(i), utf8)
      else if (i === 5) put('', 'large 0', someText(random, 3_500))
      else put(i % 2 === 0 ? '' : 'one', keyOf(i * 3), someText(random, 30))
      engine.flushSync()
      states.unshift(contentOf(engine))
    }
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    return { isClosed: false, files: filesOf(crashed.state()), older, states, anatomy: checkpointed }
  }
  await engine.close()
  return { isClosed: true, files: filesOf(disk.state()), older, states, anatomy: await anatomyOf(disk) }
}

/** A disk with these files, durably. */
export function diskOf(files: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
  const disk = new SimulatedDisk(1)
  for (const [name, bytes] of files) disk.place(name, bytes)
  return disk
}

/** The disk's pages without what the log says: both logs emptied. */
async function checkpointOf(disk: SimulatedDisk): Promise<Anatomy> {
  const files = new Map(filesOf(disk.state()))
  for (const name of logFileNames) files.set(name, new Uint8Array(0))
  return await anatomyOf(diskOf(files))
}

function filesOf(state: DiskState): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const name of [dataFileName, ...logFileNames]) {
    const bytes = state.bytes(name)
    assert(name !== dataFileName || bytes.length >= 2 * blockBytes, 'there is a data file')
    // Space of the log that is written ahead is zero, and longer than all else: two blocks of it are enough.
    files.set(name, name === dataFileName ? bytes : bytes.slice(0, usedBytes(bytes) + 2 * blockBytes))
  }
  return files
}

function usedBytes(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return Math.ceil(end / blockBytes) * blockBytes
}

const keyOf = (i: number): string => `key ${i.toString().padStart(4, '0')}`
