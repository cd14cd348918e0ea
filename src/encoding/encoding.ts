// What an encoding is. Keys and values go straight from the caller's objects into the kernel's memory and back, so the
// interface is about ranges of one large byte array instead of arrays of their own.
//
// User code (getters, `toJSON`, codecs) may run while something is encoded, and may call the database again. So `write`
// runs all user code before it touches `target`. A caller that encodes several things into the same memory first encodes
// those with `callsBack`, by `encode`. If user code makes the memory grow, `target` is detached: `write` then returns
// -1, as if there were no room, and `encode` still works.

/** Turns values into bytes and back. Encoded values do not mark their own end: `start` and `end` delimit them. */
export interface ValueEncoding<V> {
  /** For messages and `stats`; a codec's own name, or `'codec'`. */
  readonly name: string
  /** Whether `write` and `encode` always run code of the caller (codecs do). */
  readonly callsBack: boolean
  /** Whether what `readOwned` returns may be a view of its source. */
  readonly aliasesOwned: boolean
  /**
   * Encodes into `target` at byte `at` and returns the number of bytes, or -1 when they are more than `capacity`
   * (nothing past the capacity was written; use `encode`). Throws `LIGHTNING_INVALID_ARGUMENT`.
   */
  write(value: V, target: Uint8Array, at: number, capacity: number): number
  /** Encodes into bytes of their own. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  encode(value: V): Uint8Array
  /**
   * Decodes the bytes from `start` to `end`; the result does not alias `source`. Throws `LIGHTNING_DECODE` when they
   * are not what the encoding writes.
   */
  read(source: Uint8Array, start: number, end: number): V
  /** The same for bytes that nobody else uses or changes any more: the result may be a view of `source`. */
  readOwned(source: Uint8Array, start: number, end: number): V
}

/** Turns keys into bytes whose unsigned lexicographic order is the order of the keys. */
export interface KeyEncoding<K> extends ValueEncoding<K> {
  /** The bytes that every key with this prefix begins with. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  encodePrefix(prefix: K): Uint8Array
}

/** What `keyEncoding` may name. */
export const keyEncodingNames = ['utf8', 'view', 'buffer', 'tuple'] as const

/** What `valueEncoding` may name. */
export const valueEncodingNames = ['msgpack', 'json', 'utf8', 'view', 'buffer'] as const

/** The keys' encodings that have names: text, bytes as `Uint8Array` or `Buffer`, tuples. */
export type KeyEncodingName = (typeof keyEncodingNames)[number]

/** The values' encodings that have names: structured values, JSON, text, bytes as `Uint8Array` or `Buffer`. */
export type ValueEncodingName = (typeof valueEncodingNames)[number]

/** A Node `Buffer` where such types are installed, otherwise `Uint8Array`. */
export type NodeBuffer = typeof globalThis extends {
  Buffer: { isBuffer(value: unknown): value is infer B extends Uint8Array }
}
  ? B
  : Uint8Array

/** What the key encoding `'tuple'` takes and gives: one element, or an array of elements, nested if need be. */
export type TupleKey = null | boolean | number | string | Date | Uint8Array | readonly TupleKey[]

/**
 * An encoding of the caller's own. `format` says what `encode` gives and `decode` gets: `'view'` (the default) a
 * `Uint8Array`, `'buffer'` a Node `Buffer`, `'utf8'` a string. What `encode` throws becomes the cause of a
 * `LIGHTNING_INVALID_ARGUMENT`, what `decode` throws that of a `LIGHTNING_DECODE`. The bytes `decode` gets are its own.
 */
export type Codec<T> =
  | {
      readonly name?: string | undefined
      readonly format?: 'view' | undefined
      encode(value: T): Uint8Array
      decode(bytes: Uint8Array): T
    }
  | {
      readonly name?: string | undefined
      readonly format: 'buffer'
      encode(value: T): Uint8Array
      decode(bytes: NodeBuffer): T
    }
  | {
      readonly name?: string | undefined
      readonly format: 'utf8'
      encode(value: T): string
      decode(text: string): T
    }

/** A codec whatever its type: what `Codec<T>` has for every T. */
export interface AnyCodec {
  readonly name?: string | undefined
  readonly format?: 'view' | 'buffer' | 'utf8' | undefined
  encode(value: never): Uint8Array | string
  decode(encoded: never): unknown
}

/** The option `keyEncoding`: a name or a codec. */
export type KeyEncodingOption = KeyEncodingName | AnyCodec

/** The option `valueEncoding`: a name or a codec. */
export type ValueEncodingOption = ValueEncodingName | AnyCodec

/** The type of the keys that go with the option `keyEncoding`; absent is the default, `'utf8'`. */
export type KeyOf<E> = E extends undefined | 'utf8' ? string : E extends 'tuple' ? TupleKey : CommonOf<E>

/** The type of the values that go with the option `valueEncoding`; `unknown` unless the encoding tells. */
export type ValueOf<E> = E extends 'utf8' ? string : CommonOf<E>

type CommonOf<E> = E extends 'view'
  ? Uint8Array
  : E extends 'buffer'
    ? NodeBuffer
    : E extends { encode(value: infer T): unknown }
      ? // An untyped codec tells nothing; `any` would spread to everything read.
        0 extends 1 & T
        ? unknown
        : T
      : unknown
