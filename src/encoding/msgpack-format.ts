// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) with extensions. Its own types are used wherever
// they round-trip; the extension types below hold the rest. All lengths and numbers are big-endian, except
// the elements of typed arrays, which are stored as they lie in memory (little-endian).
//
//   ext -1  Date, the standard's timestamp (4, 8 or 12 bytes)
//   ext 1   undefined: one byte 00
//   ext 2   bigint: two's complement, a multiple of 8 bytes
//   ext 3   an invalid Date: no bytes
//   ext 4   Map: keys and values in turn, each MessagePack
//   ext 5   Set: members, each MessagePack
//   ext 6   ArrayBuffer and its views but Uint8Array (which is bin): one byte that says which, then the bytes

/** Types of the extensions. */
export const extension = { timestamp: -1, undefined: 1, bigint: 2, invalidDate: 3, map: 4, set: 5, buffer: 6 } as const

/**
 * The constructors of extension 6. The index in this list is the byte that is stored, so entries are only ever appended.
 * Not every platform has `Float16Array`.
 */
export const bufferKinds = [
  'ArrayBuffer',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array'
] as const

/** One of {@link bufferKinds}. */
export type BufferKind = (typeof bufferKinds)[number]

/** How deep collections may be nested; bounded so that neither stored bytes nor a value exhaust the stack. */
export const largestDepth = 500
