// Node's `Buffer`, found at run time on the global object: an import would break browser bundles. Deno and Bun have
// one too.

/** What is used of `Buffer`. */
export interface BufferConstructor {
  allocUnsafe(size: number): Uint8Array
  /** A view of `length` bytes of `buffer` from `offset` on. */
  from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array
  /** The bytes that a well formed text stands for. */
  from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer>
}

/** `Buffer`, or undefined where there is none. */
export const nodeBuffer: BufferConstructor | undefined = findBuffer()

function findBuffer(): BufferConstructor | undefined {
  const found: unknown = Reflect.get(globalThis, 'Buffer')
  return hasAllocUnsafe(found) ? found : undefined
}

function hasAllocUnsafe(found: unknown): found is BufferConstructor {
  return typeof found === 'function' && typeof Reflect.get(found, 'allocUnsafe') === 'function'
}
