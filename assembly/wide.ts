// Eight bytes at a time, in the WASM build. `wide.jsbuild.ts` is its twin for the JavaScript build, which has no
// 64-bit integers: the interface is bytes and counts only, so both compute the same.

/** Copies the 8 bytes at `from`, all of them read before the first is written. Any alignment. */
// @ts-ignore: decorator
@inline export function copy8(to: u32, from: u32): void { store<u64>(to, load<u64>(from, 0, 1), 0, 1) }
/** How many of the 8 bytes at `a` and at `b` are the same before the first that differs. Any alignment. */
// @ts-ignore: decorator
@inline export function sameBytes8(a: u32, b: u32): u32 {
  return (ctz<u64>(load<u64>(a, 0, 1) ^ load<u64>(b, 0, 1)) as u32) >>> 3
}
