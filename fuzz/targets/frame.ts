// Log frames, one by one: which bytes are one, and where the first one is, in both builds.
import { IDENTITY } from '../../assembly/state.ts'
import { readFrameHeader } from '../../src/wal/frame.ts'
import type { Random } from '../../test/support/random.ts'
import { frameHeaderBytes } from '../formats/log-image.ts'
import { Tools } from '../formats/tools.ts'
import { mutateBytes, someNumber } from '../fuzzer/mutators.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { areaOf, bothBuilds } from './two-builds.ts'

const identity = 0x1234_5678
const mostBytes = 1_024

async function create(): Promise<Target> {
  const tools = await Tools.make()
  const builds = await bothBuilds()
  for (const { memory } of builds) memory.setWord(IDENTITY, identity)
  const seal = (bytes: Uint8Array, at: number) => sealFrame(bytes, at, tools)
  return {
    mostBytes,
    seeds: [seal(new Uint8Array(frameHeaderBytes + 24), 0), seal(new Uint8Array(200), 0), new Uint8Array(40)],
    mutate(input, random, other) {
      const bytes = mutateBytes(input, random, other, mostBytes).slice()
      return random.chance(0.8) ? seal(mutateHeader(bytes, random), 8 * random.below(3)) : bytes
    },
    run(input) {
      const results = builds.map(build => {
        const at = (areaOf(build) + 7) & ~7
        build.memory.bytes.set(input, at)
        // What stands behind the room was never read from the file.
        build.memory.bytes.fill(0xee, at + input.length, at + input.length + 64)
        const length = build.exports.frameBytes(at, input.length)
        const found = build.exports.findFrame(at, at + input.length) >>> 0
        if (length !== 0) {
          const header = readFrameHeader(build.memory, at)
          expectThat(
            header.bytes === length && length <= input.length && length % 8 === 0,
            'a frame ends where it says'
          )
          expectThat(header.operationBytes <= length - frameHeaderBytes, 'operations end within their frame')
          expectThat(found === at, 'the first frame is found first')
        }
        return `${length} ${found === 0 ? -1 : found - at}`
      })
      expectThat(results[0] === results[1], `both builds find the same frames: ${results.join(' and ')}`)
    }
  }
}

function sealFrame(bytes: Uint8Array, at: number, tools: Tools): Uint8Array {
  const room = bytes.length - at
  if (room < frameHeaderBytes) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stated = view.getUint32(at, true)
  const length = stated >= frameHeaderBytes && stated <= room && stated % 8 === 0 ? stated : room - (room % 8)
  view.setUint32(at, length, true)
  view.setUint32(at + 8, identity, true)
  if (view.getUint32(at + 48, true) > length) view.setUint32(at + 48, length - frameHeaderBytes, true)
  view.setUint32(at + 4, tools.xxh32(bytes.subarray(at + 8, at + length), (identity + length) >>> 0), true)
  return bytes
}

function mutateHeader(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < frameHeaderBytes) return bytes
  const number = random.chance(0.5) ? bytes.length - random.below(80) : someNumber(random)
  new DataView(bytes.buffer).setUint32(4 * random.below(14), number, true)
  return bytes
}

export const frameTarget: TargetEntry = { name: 'frame', what: 'single log frames, both builds', create }
