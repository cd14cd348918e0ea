// XXH32, the checksum of every page image, table chunk and log frame.
// Source: the xxHash algorithm description, version 0.1.1, "XXH32". Four 32-bit lanes take 16 bytes a round and are
// folded into one; what is left over goes in by words, then by bytes; the end mixes every bit into every other.
import { load8, load32u, mul, rotateLeft } from './platform'

const prime1: u32 = 0x9e3779b1
const prime2: u32 = 0x85ebca77
const prime3: u32 = 0xc2b2ae3d
const prime4: u32 = 0x27d4eb2f
const prime5: u32 = 0x165667b1

/** XXH32 of the `length` bytes at `address`, which may have any alignment. */
export function xxh32(address: u32, length: u32, seed: u32): u32 {
  const end: u32 = address + length
  let p: u32 = address
  let hash: u32 = (seed + prime5) >>> 0
  if (length >= 16) {
    let a: u32 = (seed + prime1 + prime2) >>> 0
    let b: u32 = (seed + prime2) >>> 0
    let c: u32 = seed >>> 0
    let d: u32 = (seed + 0x61c8864f) >>> 0 // seed - prime1
    const lastRound: u32 = end - 16
    while (p <= lastRound) {
      a = mixLane(a, load32u(p))
      b = mixLane(b, load32u(p + 4))
      c = mixLane(c, load32u(p + 8))
      d = mixLane(d, load32u(p + 12))
      p += 16
    }
    hash = (rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)) >>> 0
  }
  hash = (hash + length) >>> 0
  while (end - p >= 4) {
    hash = mul(rotateLeft((hash + mul(load32u(p), prime3)) >>> 0, 17), prime4)
    p += 4
  }
  while (p < end) {
    hash = mul(rotateLeft((hash + mul(load8(p), prime5)) >>> 0, 11), prime1)
    p += 1
  }
  return avalanche(hash)
}

function mixLane(lane: u32, word: u32): u32 {
  return mul(rotateLeft((lane + mul(word, prime2)) >>> 0, 13), prime1)
}

function avalanche(hash: u32): u32 {
  let mixed: u32 = mul((hash ^ (hash >>> 15)) >>> 0, prime2)
  mixed = mul((mixed ^ (mixed >>> 13)) >>> 0, prime3)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
