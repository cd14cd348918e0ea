import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { bothBuilds, room } from './both-builds.ts'
import { natures, sample } from './samples.ts'

const reference = await xxhash()
const kernels = bothBuilds(1 << 17)

describe.each(kernels)('xxh32 in the $name build', ({ exports, bytes }) => {
  const hash = (data: Uint8Array, seed: number, address = room) => {
    bytes.set(data, address)
    return exports.xxh32(address, data.length, seed) >>> 0
  }

  test('gives the published values', () => {
    expect(hash(new Uint8Array(0), 0)).toBe(0x02cc5d05)
    expect(hash(new TextEncoder().encode('abc'), 0)).toBe(0x32d153ff)
  })

  test('agrees with xxhash-wasm at every length from 0 to 200 and every alignment', () => {
    const data = sample('noise', 200, 1)
    for (let length = 0; length <= 200; length++) {
      const part = data.subarray(0, length)
      expect(hash(part, 7, room + (length % 8))).toBe(reference.h32Raw(part, 7))
    }
  })

  test.each(natures)('agrees with xxhash-wasm on 64 KiB of %s', nature => {
    const data = sample(nature, 1 << 16, 2)
    expect(hash(data, 0)).toBe(reference.h32Raw(data, 0))
  })

  test('agrees with xxhash-wasm for any bytes and any seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(0xffffffff), (data, seed) => {
        expect(hash(data, seed)).toBe(reference.h32Raw(data, seed))
      })
    )
  })
})
