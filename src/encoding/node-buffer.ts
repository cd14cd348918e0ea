// Node's `Buffer`, found at run time on the global object: an import would break browser bundles. Deno and Bun have
// one too; each function is believed only after it has shown that it does what is relied on here.

/** Decoders that take any `Uint8Array` and a range, without a view in between. */
export interface NodeSlices {
  /** Every byte as the character of the same number. */
  latin1(source: Uint8Array, start: number, end: number): string
  /** UTF-8 with U+FFFD for what is ill-formed, a byte order mark kept. */
  utf8(source: Uint8Array, start: number, end: number): string
}

/** What is used of `Buffer`. */
export interface BufferConstructor {
  allocUnsafe(size: number): Uint8Array
}

type Slice = (this: Uint8Array, start: number, end: number) => string

/** `Buffer`, or undefined where there is none. */
export const nodeBuffer: BufferConstructor | undefined = findBuffer()

/** Node's slices, or undefined where there are none that can be trusted. */
export const nodeSlices: NodeSlices | undefined = findSlices()

function findBuffer(): BufferConstructor | undefined {
  const found: unknown = Reflect.get(globalThis, 'Buffer')
  return hasAllocUnsafe(found) ? found : undefined
}

function findSlices(): NodeSlices | undefined {
  if (nodeBuffer === undefined) return undefined
  const prototype: unknown = Reflect.get(nodeBuffer, 'prototype')
  if (typeof prototype !== 'object' || prototype === null) return undefined
  const latin1: unknown = Reflect.get(prototype, 'latin1Slice')
  const utf8: unknown = Reflect.get(prototype, 'utf8Slice')
  if (!isSlice(latin1) || !isSlice(utf8)) return undefined
  const slices: NodeSlices = {
    latin1: (source, start, end) => latin1.call(source, start, end),
    utf8: (source, start, end) => utf8.call(source, start, end)
  }
  return areTrustworthy(slices) ? slices : undefined
}

function areTrustworthy(slices: NodeSlices): boolean {
  // A letter, a byte order mark, "é", an encoded surrogate, an overlong "/", a lone continuation byte, a letter.
  const sample = Uint8Array.of(0x61, 0xef, 0xbb, 0xbf, 0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0x80, 0x62)
  try {
    return (
      slices.latin1(sample, 4, 6) === '\u00c3\u00a9' &&
      slices.latin1(sample, 12, 12) === '' &&
      slices.utf8(sample, 1, 6) === '\ufeff\u00e9' &&
      slices.utf8(sample, 6, 9).includes('\ufffd') &&
      slices.utf8(sample, 9, 11).includes('\ufffd') &&
      slices.utf8(sample, 11, 13) === '\ufffdb'
    )
  } catch {
    return false
  }
}

function hasAllocUnsafe(found: unknown): found is BufferConstructor {
  return typeof found === 'function' && typeof Reflect.get(found, 'allocUnsafe') === 'function'
}

function isSlice(found: unknown): found is Slice {
  return typeof found === 'function'
}
