import { ByteSlab } from './byte-slab.ts'
import { copyBytes, isBytes, writeBytes } from './bytes.ts'
import type { KeyEncoding } from './encoding.ts'
import { describe, invalidArgument } from './failure.ts'
import type { BufferConstructor } from './node-buffer.ts'

/** Makes what is read: a copy of the bytes from `start` to `end`. */
type Copier = (source: Uint8Array, start: number, end: number) => Uint8Array

/** `'view'` and `'buffer'`: bytes as they are, for keys and values. They take any `Uint8Array`. */
export class BytesEncoding implements KeyEncoding<unknown> {
  readonly name: string
  readonly callsBack = false
  readonly aliasesOwned = true
  readonly #copier: Copier
  readonly #viewer: Copier

  /** `copier` gives bytes of their own, `viewer` may give a view of what it is given. */
  constructor(name: string, copier: Copier, viewer: Copier) {
    this.name = name
    this.#copier = copier
    this.#viewer = viewer
  }

  write(bytes: unknown, target: Uint8Array, at: number, capacity: number): number {
    if (!isBytes(bytes)) throw this.#refusal(bytes)
    return writeBytes(bytes, bytes.length, target, at, capacity)
  }

  encode(bytes: unknown): Uint8Array {
    if (!isBytes(bytes)) throw this.#refusal(bytes)
    return copyBytes(bytes, 0, bytes.length)
  }

  read(source: Uint8Array, start: number, end: number): Uint8Array {
    return this.#copier(source, start, end)
  }

  readOwned(source: Uint8Array, start: number, end: number): Uint8Array {
    return this.#viewer(source, start, end)
  }

  encodePrefix(prefix: unknown): Uint8Array {
    return this.encode(prefix)
  }

  #refusal(value: unknown): Error {
    return invalidArgument(
      `The encoding '${this.name}' takes a Uint8Array, got ${describe(value)}. Convert it, or use an encoding that takes it.`
    )
  }
}

/**
 * `'view'`: what is read is a `Uint8Array` of the caller's own, but up to 1 KiB its `buffer` is a shared slab of 64 KiB
 * (see `ByteSlab`): keep a `slice()` of a small value that lives long.
 */
export function viewEncoding(): BytesEncoding {
  const slab = new ByteSlab()
  return new BytesEncoding(
    'view',
    (source, start, end) => slab.copy(source, start, end),
    (source, start, end) => new Uint8Array(source.buffer, source.byteOffset + start, end - start)
  )
}

/** `'buffer'`: what is read is a Node Buffer (a small one from Node's own pool). */
export function bufferEncoding(Buffer: BufferConstructor): BytesEncoding {
  return new BytesEncoding(
    'buffer',
    (source, start, end) => {
      const bytes = Buffer.allocUnsafe(end - start)
      bytes.set(source.subarray(start, end))
      return bytes
    },
    (source, start, end) => Buffer.from(source.buffer, source.byteOffset + start, end - start)
  )
}
