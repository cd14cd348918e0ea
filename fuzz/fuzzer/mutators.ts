// Inputs near an input, byte by byte: what every target can be given.
import type { Random } from '../../test/support/random.ts'

/** Numbers at which lengths, signs and sizes change their meaning. */
export const interestingNumbers: readonly [number, ...number[]] = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  127,
  128,
  255,
  256,
  511,
  512,
  1_023,
  1_024,
  1_025,
  4_095,
  4_096,
  4_097,
  16_383,
  16_384,
  32_767,
  32_768,
  65_535,
  65_536,
  262_144,
  524_288,
  1 << 20,
  (1 << 24) - 1,
  1 << 24,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff0,
  0xffff_ffff
]

/** A number of 32 bits: small, at an edge, or any. */
export function someNumber(random: Random): number {
  const kind = random.below(8)
  if (kind < 3) return random.below(32)
  if (kind < 6) return random.pick(interestingNumbers)
  return random.next()
}

/** One to eight small changes. */
export function mutateBytes(input: Uint8Array, random: Random, other: Uint8Array, mostBytes: number): Uint8Array {
  let bytes = input
  for (let left = 1 << random.below(4); left > 0; left--) bytes = changeOnce(bytes, random, other)
  return bytes.subarray(0, mostBytes)
}

function changeOnce(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const { length } = input
  const kind = length === 0 ? 5 : random.below(11)
  const at = random.below(Math.max(1, length))
  const bytes = input.slice()
  const view = new DataView(bytes.buffer)
  if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  else if (kind === 1) bytes[at] = random.below(256)
  else if (kind === 2) bytes[at] = (bytes[at] ?? 0) + random.below(33) - 16
  else if (kind === 3 && length >= 2) view.setUint16(Math.min(at, length - 2), someNumber(random), random.chance(0.8))
  else if (kind === 4 && length >= 4) view.setUint32(Math.min(at, length - 4), someNumber(random), random.chance(0.8))
  else if (kind === 5) return spliced(input, at, at, someBytes(random, 1 + random.below(16)))
  else if (kind === 6) return spliced(input, at, Math.min(length, at + 1 + random.below(16)), new Uint8Array(0))
  else if (kind === 7) {
    const to = random.below(length)
    bytes.copyWithin(to, at, at + 1 + random.below(64))
  } else if (kind === 8) return spliced(input, at, at, input.subarray(at, at + 1 + random.below(64)))
  else if (kind === 9 && other.length > 0) {
    const from = random.below(other.length)
    const part = other.subarray(from, from + 1 + random.below(Math.max(1, other.length - from)))
    return spliced(input, at, random.chance(0.5) ? at + part.length : at, part)
  } else return input.slice(0, at)
  return bytes
}

function spliced(bytes: Uint8Array, from: number, to: number, part: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(to)]))
}

function someBytes(random: Random, length: number): Uint8Array {
  const value = random.below(256)
  return random.chance(0.5) ? new Uint8Array(length).fill(value) : Uint8Array.from({ length }, () => random.below(256))
}
