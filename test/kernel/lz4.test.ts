import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lz4TableBytes } from '../../assembly/lz4.ts'
import { type BareKernel, bothBuilds, room } from './both-builds.ts'
import { referenceCompress, referenceDecompress } from './lz4-reference.ts'
import { natures, sample } from './samples.ts'

const largest = 4 << 20
const guard = 64
const table = room
const input = table + lz4TableBytes
const output = input + largest + (1 << 16)
const builds = bothBuilds(3 * largest)

/** Bytes of both kinds that compressors find hard: short repetitions between noise. */
const patchy = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 80 })), { maxLength: 40 })
  .map(parts =>
    Uint8Array.from(
      parts.flatMap(([bytes, times]) =>
        Array(times)
          .fill([...bytes])
          .flat()
      )
    )
  )

describe.each(builds)('LZ4 in the $name build', ({ exports, bytes }) => {
  const compress = (data: Uint8Array, capacity: number) => {
    bytes.set(data, input)
    bytes.fill(0xa5, output + capacity, output + capacity + guard)
    const size = exports.lz4Compress(input, data.length, output, capacity, table) >>> 0
    expectGuard(capacity)
    return size === 0 ? undefined : bytes.slice(output, output + size)
  }
  const decompress = (block: Uint8Array, capacity: number) => {
    bytes.set(block, input)
    bytes.fill(0xa5, output - guard, output)
    bytes.fill(0xa5, output + capacity, output + capacity + guard)
    const size = exports.lz4Decompress(input, block.length, output, capacity)
    expectGuard(capacity)
    expect(bytes.subarray(output - guard, output).every(byte => byte === 0xa5)).toBe(true)
    return size < 0 ? undefined : bytes.slice(output, output + size)
  }
  const expectGuard = (capacity: number) => {
    const after = bytes.subarray(output + capacity, output + capacity + guard)
    expect(after.every(byte => byte === 0xa5)).toBe(true)
  }
  const expectRoundTrip = (data: Uint8Array) => {
    const block = compress(data, data.length + (data.length >>> 7) + 16)
    if (block === undefined) throw new Error('the block did not fit')
    expectSame(decompress(block, data.length), data)
    expectSame(referenceDecompress(block, data.length), data)
    return block
  }

  test.each(natures)('%s come back, here and through lz4-wasm, at sizes around the limits of the format', nature => {
    for (const length of [
      0, 1, 4, 5, 11, 12, 13, 14, 16, 17, 31, 255, 256, 4096, 16384, 65535, 65536, 65537, 200_000
    ]) {
      expectRoundTrip(sample(nature, length, length))
    }
  })

  test('4 MiB come back', () => {
    expectRoundTrip(sample('records', largest, 3))
    expectRoundTrip(sample('noise', largest, 3))
  })

  test('any bytes come back', () => {
    fc.assert(fc.property(fc.oneof(patchy, fc.uint8Array({ maxLength: 300 })), data => void expectRoundTrip(data)))
  })

  test('reads what lz4-wasm has written', () => {
    for (const nature of natures) {
      const data = sample(nature, 70_000, 5)
      expectSame(decompress(referenceCompress(data), data.length), data)
    }
  })

  test.each([65_534, 65_535, 65_536, 65_537])('bytes that were seen %i bytes before come back', distance => {
    // More than the step by which the search has come to go on in so much noise.
    const repeated = 1024
    const data = sample('noise', distance + repeated, 12)
    data.copyWithin(distance, 0, repeated)
    expectRoundTrip(data)
  })

  test('makes records less than half as large, zeros nearly nothing', () => {
    expect(expectRoundTrip(sample('records', 16384, 6)).length).toBeLessThan(16384 / 2)
    expect(expectRoundTrip(sample('zeros', 16384, 6)).length).toBeLessThan(100)
  })

  test('fits a block into exactly its size, and says so when one byte is missing', () => {
    fc.assert(
      fc.property(fc.oneof(patchy, fc.uint8Array({ maxLength: 300 })), data => {
        const block = expectRoundTrip(data)
        expectSame(compress(data, block.length), block)
        expect(compress(data, block.length - 1)).toBeUndefined()
        expect(compress(data, block.length >>> 1)).toBeUndefined()
      })
    )
  })

  test('what the table held before makes no difference', () => {
    const data = sample('records', 16384, 8)
    bytes.fill(0, table, table + lz4TableBytes)
    const block = expectRoundTrip(data)
    bytes.fill(0xff, table, table + lz4TableBytes)
    expectSame(compress(data, 20_000), block)
  })

  test('refuses a block that holds more than the capacity', () => {
    const data = sample('records', 5000, 9)
    const block = expectRoundTrip(data)
    for (const capacity of [0, 1, 100, 4990, 4999]) expect(decompress(block, capacity)).toBeUndefined()
  })

  test('refuses every block that is cut short', () => {
    const block = expectRoundTrip(sample('records', 3000, 10))
    for (let length = 0; length < block.length; length++) {
      const result = decompress(block.subarray(0, length), 3000)
      // A cut right behind literals looks like an end; it then holds less than it should.
      expect(result === undefined || result.length < 3000).toBe(true)
    }
  })

  test.each([
    ['nothing at all', []],
    ['an offset of 0', [0x10, 65, 0, 0, 0x00]],
    ['an offset before the beginning', [0x10, 65, 2, 0, 0x00]],
    ['an end inside the offset', [0x10, 65, 1]],
    ['an end where a length goes on', [0xf0, 255, 255]],
    ['an end where a match length goes on', [0x1f, 65, 1, 0, 255]],
    ['an end after a match', [0x10, 65, 1, 0]],
    ['more literals than there are', [0x50, 65, 66]],
    ['a length that goes on for a long time', [0xf0, ...Array(70_000).fill(255), 0]],
    ['a match length that goes on for a long time', [0x1f, 65, 1, 0, ...Array(70_000).fill(255), 0]]
  ])('refuses %s', (_, block) => {
    expect(decompress(Uint8Array.from(block), 4096)).toBeUndefined()
  })

  test('whatever the bytes are, stays inside its ranges and comes to an end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(2000), (block, capacity) => {
        const data = decompress(block, capacity)
        expect(data === undefined || data.length <= capacity).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })

  test('a good block with some bytes changed is refused or gives no more than the capacity', () => {
    const block = expectRoundTrip(sample('records', 2000, 11))
    const change = fc.tuple(fc.nat(block.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
        const damaged = block.slice()
        for (const [at, byte] of changes) damaged[at] = byte
        const data = decompress(damaged, 2000)
        expect(data === undefined || data.length <= 2000).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })
})

describe('LZ4 in both builds', () => {
  const expectAgreement = (data: Uint8Array, run: (exports: BareKernel['exports'], length: number) => number) => {
    const [wasm, javascript] = builds.map(({ exports, bytes }) => {
      bytes.set(data, input)
      bytes.fill(0, output, output + data.length + 4096)
      const result = run(exports, data.length)
      return { result, left: bytes.slice(output, output + data.length + 4096) }
    })
    if (!wasm || !javascript) throw new Error('there are two builds')
    expect(wasm.result).toBe(javascript.result)
    expectSame(wasm.left, javascript.left)
  }

  test.each(natures)('gives the same block for %s', nature => {
    expectAgreement(sample(nature, 50_000, 12), (exports, length) =>
      exports.lz4Compress(input, length, output, length + 4096, table)
    )
  })

  test('does the same with malformed blocks, down to the bytes left behind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(4096), (block, capacity) => {
        expectAgreement(block, (exports, length) => exports.lz4Decompress(input, length, output, capacity))
      }),
      { numRuns: 1000 }
    )
  })
})

/** Cheaper than `toEqual` on millions of bytes. */
function expectSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.length).toBe(expected.length)
  expect(actual !== undefined && Buffer.compare(actual, expected) === 0).toBe(true)
}
