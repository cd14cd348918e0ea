// LZ4 blocks: both builds and lz4-wasm agree on what a block holds, and nothing outside of the output is touched.
import { referenceCompress, referenceDecompress } from '../../test/kernel/lz4-reference.ts'
import { type Nature, sample } from '../../test/kernel/samples.ts'
import { expectThat, sameBytes, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { HASH_TABLE as hashTable } from '../../assembly/state.ts'
import { areaOf, type Build, bothBuilds } from './two-builds.ts'

/** An input is the capacity of the output (2 bytes), then the block. */
const headBytes = 2
const mostBytes = 2_048
const guardBytes = 64
const outputOffset = 1 << 18
const natures: readonly Nature[] = ['zeros', 'records', 'noise']

async function create(): Promise<Target> {
  const builds = await bothBuilds()
  const seeds = natures.flatMap(nature =>
    [1, 40, 700].map(length => {
      const block = referenceCompress(sample(nature, length, 3))
      const input = new Uint8Array(headBytes + block.length)
      new DataView(input.buffer).setUint16(0, length, true)
      input.set(block, headBytes)
      return input
    })
  )
  return {
    mostBytes,
    seeds,
    run(input) {
      const capacity = (input[0] ?? 0) | ((input[1] ?? 0) << 8)
      const block = input.subarray(headBytes)
      const [first, second] = builds.map(build => decompress(build, block, capacity))
      expectThat(first !== null && second !== null, 'a block does not write outside of its output')
      if (first === undefined || second === undefined) {
        expectThat(first === second, 'both builds refuse the same blocks')
        // lz4-wasm is no judge here: it takes blocks that the format forbids, such as with an offset of 0.
        return
      }
      expectThat(sameBytes(first, second), 'both builds read the same')
      const other = reference(block, capacity)
      if (other !== undefined) expectThat(sameBytes(first, other), 'lz4-wasm reads the same')
      roundTrip(builds, first)
    }
  }
}

/** The bytes, undefined for a refusal, null when something outside of the output was written. */
function decompress(build: Build, block: Uint8Array, capacity: number): Uint8Array | undefined | null {
  const { exports, memory } = build
  const from = areaOf(build)
  const to = from + outputOffset
  const { bytes } = memory
  bytes.set(block, from)
  bytes.fill(0xa5, to - guardBytes, to)
  bytes.fill(0xa5, to + capacity, to + capacity + guardBytes)
  const length = exports.lz4Decompress(from, block.length, to, capacity)
  const isGuarded = (at: number) => bytes.subarray(at, at + guardBytes).every(byte => byte === 0xa5)
  if (!isGuarded(to - guardBytes) || !isGuarded(to + capacity) || length > capacity) return null
  return length < 0 ? undefined : bytes.slice(to, to + length)
}

function reference(block: Uint8Array, capacity: number): Uint8Array | undefined {
  try {
    return referenceDecompress(block, capacity)
  } catch {
    return undefined
  }
}

function roundTrip(builds: readonly Build[], bytes: Uint8Array): void {
  const blocks = builds.map(build => {
    const from = areaOf(build)
    build.memory.bytes.set(bytes, from)
    const table = build.memory.word(hashTable)
    const capacity = bytes.length + (bytes.length >>> 7) + 16
    const length = build.exports.lz4Compress(from, bytes.length, from + outputOffset, capacity, table) >>> 0
    return build.memory.bytes.slice(from + outputOffset, from + outputOffset + length)
  })
  const [first, second] = blocks
  expectThat(
    first !== undefined && second !== undefined && sameBytes(first, second),
    'both builds write the same block'
  )
  for (const build of builds) {
    const back = decompress(build, first, bytes.length)
    expectThat(back !== undefined && back !== null && sameBytes(back, bytes), 'what was compressed comes back')
  }
}

export const lz4Target: TargetEntry = { name: 'lz4', what: 'LZ4 blocks: both builds and lz4-wasm agree', create }
