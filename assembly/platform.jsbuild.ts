// What the kernel asks of its machine, in the JavaScript build: the same names as `platform.ts`, over one ArrayBuffer.
// The views are replaced when the memory grows; the kernel keeps no other state outside its memory.

let buffer = new ArrayBuffer(1 << 17)
let bytes = new Uint8Array(buffer)
let words = new Uint32Array(buffer)
let view = new DataView(buffer)

const largestUnits = 65535

export function load8(p: u32): u32 { return bytes[p] as u32 }
export function load16(p: u32): u32 { return view.getUint16(p, true) }
export function load32(p: u32): u32 { return words[p >>> 2] as u32 }
export function load32u(p: u32): u32 { return view.getUint32(p, true) }
export function store8(p: u32, v: u32): void { bytes[p] = v }
export function store16(p: u32, v: u32): void { view.setUint16(p, v, true) }
export function store32(p: u32, v: u32): void { words[p >>> 2] = v }
export function store32u(p: u32, v: u32): void { view.setUint32(p, v, true) }
export function copy(to: u32, from: u32, length: u32): void { bytes.copyWithin(to, from, from + length) }
export function fill(at: u32, byte: u32, length: u32): void { bytes.fill(byte, at, at + length) }
export function mul(a: u32, b: u32): u32 { return Math.imul(a, b) >>> 0 }
export function div(a: u32, b: u32): u32 { return (a / b) >>> 0 }
export function rem(a: u32, b: u32): u32 { return a % b }
export function rotateLeft(x: u32, bits: u32): u32 { return ((x << bits) | (x >>> (32 - bits))) >>> 0 }
export function byteSwap(x: u32): u32 {
  return ((x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)) >>> 0
}
export function leadingZeros(x: u32): u32 { return Math.clz32(x) }
export function trailingZeros(x: u32): u32 { return x === 0 ? 32 : 31 - Math.clz32(x & -x) }
export function memoryUnits(): u32 { return buffer.byteLength >>> 16 }
export function growMemory(units: u32): i32 {
  const before = buffer.byteLength >>> 16
  if (before + units > largestUnits) return -1
  let larger: ArrayBuffer
  try {
    larger = new ArrayBuffer((before + units) * 65536)
  } catch {
    return -1
  }
  new Uint8Array(larger).set(bytes)
  const smaller = buffer
  attach(larger)
  // The old memory is detached as a growing WASM memory's is, so that no view of it stays in use unnoticed.
  structuredClone(smaller, { transfer: [smaller] })
  return before
}

/** The memory as it is now; a growth replaces it. */
export function currentMemory(): ArrayBuffer { return buffer }
/** Runs the kernel over this memory from now on (its size a multiple of 64 KiB). */
export function attach(memory: ArrayBuffer): void {
  buffer = memory
  bytes = new Uint8Array(buffer)
  words = new Uint32Array(buffer)
  view = new DataView(buffer)
}
