// Directory and chunks of the page table.
import { OK, TABLE_LIMIT } from '../../assembly/state.ts'
import { Directory } from '../../src/engine/directory.ts'
import { chunkBytes, chunkIds, directoryEntryBytes, entryBytes } from '../../src/store/format.ts'
import type { Random } from '../../test/support/random.ts'
import { mutateBytes, someNumber } from '../fuzzer/mutators.ts'
import { expectThat, sameBytes, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { areaOf, type Build, bothBuilds } from './two-builds.ts'

// An input: the table's limit (2 bytes), the chunk's number (1 byte), flags (1 byte), then entries of 24 bytes each.
const headBytes = 4
const mostEntries = 40
const mostBytes = headBytes + mostEntries * entryBytes

async function create(): Promise<Target> {
  const builds = await bothBuilds()
  return {
    mostBytes,
    seeds: [
      seed([]),
      seed([[16, 0x0100_1000, 7, 1, 0, 0]]),
      seed([
        [16, 0x1200_0300, 7, 1, 0, 2],
        [17, 0x2200_0300, 8, 1, 0, 0]
      ])
    ],
    mutate: (input, random, other) => mutateEntries(mutateBytes(input, random, other, mostBytes), random),
    run(input) {
      const limit = Math.max(1, (input[0] ?? 0) | ((input[1] ?? 0) << 8)) % 1_100
      const chunk = (input[2] ?? 0) % 4
      checkDirectory(input.subarray(headBytes))
      const [first, second] = builds.map(build => load(build, input.subarray(headBytes), limit, chunk))
      expectThat(first !== undefined && second !== undefined, 'there are two builds')
      expectThat(first.loaded === second.loaded, 'both builds take the same chunks')
      expectThat(sameBytes(first.stored, second.stored), 'both builds hold the same entries')
      if (!first.loaded) return
      const chunkInput = chunkOf(input.subarray(headBytes))
      for (let at = 0; at < chunkBytes; at += entryBytes) {
        const isFree = new DataView(chunkInput.buffer).getUint32(at, true) === 0
        const stored = first.stored.subarray(at, at + entryBytes)
        const wanted = isFree ? new Uint8Array(entryBytes) : chunkInput.subarray(at, at + entryBytes)
        expectThat(sameBytes(stored, wanted), 'an entry that was taken is stored as it was')
      }
    }
  }
}

function load(
  build: Build,
  entries: Uint8Array,
  limit: number,
  chunk: number
): { loaded: boolean; stored: Uint8Array } {
  const { exports, memory } = build
  expectThat(exports.setUp(4_096, 64) === OK, 'there is memory for a kernel')
  expectThat(exports.setTableLimit(limit) === OK, 'there is memory for a small table')
  const at = areaOf(build)
  memory.bytes.set(chunkOf(entries), at)
  // The caller lengthens a table to the chunks that it has.
  if (chunk * chunkIds >= limit) return { loaded: false, stored: new Uint8Array(0) }
  const loaded = Boolean(exports.loadChunk(chunk, at))
  if (!loaded) return { loaded, stored: new Uint8Array(0) }
  exports.listFreeIds()
  expectThat(memory.word(TABLE_LIMIT) === limit, 'a chunk does not change the length of the table')
  exports.storeChunk(chunk, 0, at)
  return { loaded, stored: memory.bytes.slice(at, at + chunkBytes) }
}

function chunkOf(entries: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(chunkBytes)
  chunk.set(entries.subarray(0, mostEntries * entryBytes))
  return chunk
}

function checkDirectory(input: Uint8Array): void {
  const bytes = input.subarray(0, input.length - (input.length % directoryEntryBytes))
  const directory = new Directory()
  directory.decode(bytes)
  expectThat(directory.length === bytes.length / directoryEntryBytes, 'a directory has an entry for every 16 bytes')
  expectThat(sameBytes(directory.encode(), bytes), 'a directory is written as it was read')
}

function seed(entries: readonly (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(headBytes + entries.length * entryBytes)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 300, true)
  for (const [i, words] of entries.entries())
    for (const [j, word] of words.entries()) view.setUint32(headBytes + i * entryBytes + j * 4, word, true)
  return bytes
}

function mutateEntries(bytes: Uint8Array, random: Random): Uint8Array {
  const entries = Math.floor((bytes.length - headBytes) / entryBytes)
  if (entries < 1 || random.chance(0.3)) return bytes
  const at = headBytes + random.below(entries) * entryBytes
  const changed = bytes.slice()
  const view = new DataView(changed.buffer)
  if (random.chance(0.5)) changed[at + 7] = random.below(64)
  else view.setUint32(at + 4 * random.below(6), someNumber(random), true)
  return changed
}

export const tablesTarget: TargetEntry = {
  name: 'tables',
  what: 'directory and chunks of the page table, both builds',
  create
}
