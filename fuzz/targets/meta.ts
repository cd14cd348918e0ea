// Meta slots: two of them, as they stand at the start of a data file.
import { DataFile } from '../../src/store/data-file.ts'
import { encodeMeta, type Meta } from '../../src/store/meta.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Random } from '../../test/support/random.ts'
import { Tools } from '../formats/tools.ts'
import { mutateBytes, someNumber } from '../fuzzer/mutators.ts'
import { expectThat, expectTyped, sameBytes, type Target, type TargetEntry } from '../fuzzer/target.ts'

const slotBytes = 512
const blockBytes = 4_096

/** An input is the two slots one behind the other, then the length of the file. */
const mostBytes = 2 * slotBytes + 4

const example: Meta = {
  pageBytes: 4_096,
  databaseId: new Uint8Array(16).fill(7),
  timeline: new Uint8Array(8).fill(9),
  number: 5,
  lsn: 12,
  epoch: 3,
  timeMs: 1_700_000_000_000,
  logFile: 1,
  logOffset: 4_096,
  logPrevious: 77,
  incarnation: [1, 2],
  tableLimit: 3,
  chunkCount: 1,
  directorySector: 16,
  directoryBytes: 16,
  directoryChecksum: 99,
  directoryCopySector: 32,
  nextTree: 2,
  closed: false
}

async function create(): Promise<Target> {
  const tools = await Tools.make()
  const checksum = (bytes: Uint8Array, seed: number) => tools.xxh32(bytes, seed)
  const file = await memoryVfs().open('data.ldb', { create: true })
  const limits = { maxBytes: Number.POSITIVE_INFINITY, verifyWrites: false }

  const seedOf = (...metas: Meta[]) => {
    const bytes = new Uint8Array(mostBytes)
    for (const [i, meta] of metas.entries()) bytes.set(encodeMeta(meta, checksum), i * slotBytes)
    new DataView(bytes.buffer).setUint32(2 * slotBytes, 16 * blockBytes, true)
    return bytes
  }

  return {
    mostBytes,
    seeds: [
      seedOf(example, example),
      seedOf(example, { ...example, number: 6, closed: true }),
      seedOf({
        ...example,
        number: 0,
        chunkCount: 0,
        directorySector: 0,
        directoryBytes: 0,
        directoryCopySector: 0,
        tableLimit: 0
      })
    ],
    mutate: (input, random, other) => reseal(mutateBytes(input, random, other, mostBytes), random, tools),
    run(input) {
      const padded = new Uint8Array(mostBytes)
      padded.set(input.subarray(0, mostBytes))
      const length = new DataView(padded.buffer).getUint32(2 * slotBytes, true) % (1 << 22)
      file.truncate(0)
      for (const slot of [0, 1])
        file.writeAt(padded.subarray(slot * slotBytes, (slot + 1) * slotBytes), slot * blockBytes)
      file.truncate(length)
      try {
        const { meta, isInBoth } = new DataFile(file, limits).readMeta(checksum)
        const again = encodeMeta(meta, checksum)
        file.writeAt(again, 0)
        const second = new DataFile(file, limits).readMeta(checksum)
        expectThat(sameBytes(encodeMeta(second.meta, checksum), again), 'a meta that was written again reads the same')
        expectThat(!isInBoth || second.isInBoth, 'a meta in both slots stays in both')
        expectThat(Number.isSafeInteger(meta.lsn) && Number.isSafeInteger(meta.logOffset), 'numbers can be counted on')
        expectThat(meta.directoryBytes <= Math.max(length, 0), 'a directory is within the file')
      } catch (error) {
        expectTyped(error, ['LIGHTNING_CORRUPT', 'LIGHTNING_VERSION'])
      }
    }
  }
}

/** Changes a field or none, and gives the slots right checksums. */
function reseal(input: Uint8Array, random: Random, tools: Tools): Uint8Array {
  const bytes = new Uint8Array(mostBytes)
  bytes.set(input)
  const view = new DataView(bytes.buffer)
  for (const slot of [0, 1]) {
    const at = slot * slotBytes
    if (random.chance(0.5)) view.setUint32(at + 8 + 4 * random.below(32), someNumber(random), true)
    if (random.chance(0.9)) {
      view.setUint32(at + slotBytes - 4, tools.xxh32(bytes.subarray(at, at + slotBytes - 4), 0), true)
    }
  }
  return bytes
}

export const metaTarget: TargetEntry = {
  name: 'meta',
  what: 'meta slots: the newest valid one, or a typed refusal',
  create
}
