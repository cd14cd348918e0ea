// What the kernel asks of its machine, in the WASM build. `platform.jsbuild.ts` is its twin for the JavaScript build;
// the two export the same names and must agree bit for bit.
//
// Conventions of the shared sources (everything in assembly/ but the twins, which are these two and `wide`):
// - values are u32 unless they are a status (i32, negative = failed) or a bool; addresses go up to 4 GiB, so a result
//   of <<, |, & or ~ that may have its top bit set is made unsigned with >>> 0, and >>> is the only right shift;
// - 32-bit products that can wrap go through mul(), divisions through div();
// - load16/load32u/store16/store32u take any address, load32/store32 one that is a multiple of four;
// - no decorators, no closures, no objects, no arrays, no strings: only functions, numbers and memory.

// @ts-ignore: decorator
@inline export function load8(p: u32): u32 { return load<u8>(p) }
// @ts-ignore: decorator
@inline export function load16(p: u32): u32 { return load<u16>(p, 0, 1) }
// @ts-ignore: decorator
@inline export function load32(p: u32): u32 { return load<u32>(p) }
// @ts-ignore: decorator
@inline export function load32u(p: u32): u32 { return load<u32>(p, 0, 1) }
// @ts-ignore: decorator
@inline export function store8(p: u32, v: u32): void { store<u8>(p, v as u8) }
// @ts-ignore: decorator
@inline export function store16(p: u32, v: u32): void { store<u16>(p, v as u16, 0, 1) }
// @ts-ignore: decorator
@inline export function store32(p: u32, v: u32): void { store<u32>(p, v) }
// @ts-ignore: decorator
@inline export function store32u(p: u32, v: u32): void { store<u32>(p, v, 0, 1) }
// @ts-ignore: decorator
@inline export function copy(to: u32, from: u32, bytes: u32): void { memory.copy(to, from, bytes) }
// @ts-ignore: decorator
@inline export function fill(at: u32, byte: u32, bytes: u32): void { memory.fill(at, byte as u8, bytes) }
// @ts-ignore: decorator
@inline export function mul(a: u32, b: u32): u32 { return a * b }
// @ts-ignore: decorator
@inline export function div(a: u32, b: u32): u32 { return a / b }
// @ts-ignore: decorator
@inline export function rem(a: u32, b: u32): u32 { return a % b }
// @ts-ignore: decorator
@inline export function rotateLeft(x: u32, bits: u32): u32 { return rotl<u32>(x, bits) }
// @ts-ignore: decorator
@inline export function byteSwap(x: u32): u32 { return bswap<u32>(x) }
// @ts-ignore: decorator
@inline export function leadingZeros(x: u32): u32 { return clz<u32>(x) }
// @ts-ignore: decorator
@inline export function trailingZeros(x: u32): u32 { return ctz<u32>(x) }
/** Size of the memory in 64 KiB units. */
// @ts-ignore: decorator
@inline export function memoryUnits(): u32 { return memory.size() as u32 }
/** Grows the memory; returns the old size in units, or -1 and nothing has changed. */
// @ts-ignore: decorator
@inline export function growMemory(units: u32): i32 { return memory.grow(units as i32) }
