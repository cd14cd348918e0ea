// Eight bytes at a time, in the JavaScript build: see `wide.ts`.
import { load32u, store32u, trailingZeros } from './platform'

export function copy8(to: u32, from: u32): void {
  const low: u32 = load32u(from)
  const high: u32 = load32u(from + 4)
  store32u(to, low)
  store32u(to + 4, high)
}

export function sameBytes8(a: u32, b: u32): u32 {
  const low: u32 = (load32u(a) ^ load32u(b)) >>> 0
  if (low != 0) return trailingZeros(low) >>> 3
  const high: u32 = (load32u(a + 4) ^ load32u(b + 4)) >>> 0
  return 4 + (trailingZeros(high) >>> 3)
}
