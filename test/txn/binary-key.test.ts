import { afterAll, describe, expect, it, vi } from 'vitest'
import { toBinary, toBytes } from '../../src/txn/binary-key.ts'

// The same must hold where there is no Buffer, as in browsers.
const withoutBuffer = await toBinaryWithoutBuffer()

afterAll(() => vi.unstubAllGlobals())

describe.each([
  ["Node's Buffer", toBinary],
  ['no Buffer', withoutBuffer]
])('the binary string of a key with %s', (_, toText) => {
  it.each([0, 1, 20, 21, 159, 160, 161, 320, 321, 1_000])('has a character for each of %i bytes', length => {
    const bytes = Uint8Array.from({ length: length + 8 }, (_, i) => (i * 151 + length) & 0xff)
    const text = toText(bytes, 5, 5 + length)
    expect(Array.from(text, character => character.charCodeAt(0))).toEqual([...bytes.subarray(5, 5 + length)])
    expect(toBytes(text)).toEqual(bytes.slice(5, 5 + length))
  })
})

async function toBinaryWithoutBuffer(): Promise<typeof toBinary> {
  vi.resetModules()
  vi.stubGlobal('Buffer', undefined)
  const module = await import('../../src/txn/binary-key.ts')
  vi.unstubAllGlobals()
  return module.toBinary
}
