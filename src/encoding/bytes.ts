// Byte strings: what counts as one, their order, and cheap copies.

// Up to here a loop beats the native copy and the views it needs (measured, docs/encodings.md).
const largestByteCopy = 24

/** Whether `value` is a `Uint8Array` (a `Buffer` is one, and one of another realm too). */
export function isBytes(value: unknown): value is Uint8Array {
  // A proxy is no view, whatever is behind it: its bytes cannot be read.
  if (!ArrayBuffer.isView(value)) return false
  return value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]'
}

/** Unsigned lexicographic order, a prefix before what it begins: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** A plain `Uint8Array` of its own with the bytes from `start` to `end`, whatever kind of view `source` is. */
export function copyBytes(source: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(end - start)
  own.set(source.subarray(start, end))
  return own
}

/** Copies the first `length` of `bytes` into `target` at `at`; returns `length`, or -1 when it is over `capacity`. */
export function writeBytes(
  bytes: Uint8Array,
  length: number,
  target: Uint8Array,
  at: number,
  capacity: number
): number {
  // The second condition is true after user code has made the memory grow: `target` is then detached and empty.
  if (length > capacity || at + length > target.length) return -1
  if (length <= largestByteCopy) for (let i = 0; i < length; i++) target[at + i] = bytes[i] ?? 0
  else target.set(length === bytes.length ? bytes : bytes.subarray(0, length), at)
  return length
}

/** The smallest byte string above every one that begins with `prefix`, or undefined when there is none. */
export function successorOf(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const successor = copyBytes(prefix, 0, length)
  successor[length - 1] = (successor[length - 1] ?? 0) + 1
  return successor
}
