// How the types of keys and values follow from the encodings that `open`, `sublevel` and single calls name.

import type { KeyEncodingName, KeyOf, NodeBuffer, ValueEncodingName, ValueOf } from '../encoding/encoding.ts'

/** A codec for whatever type of keys or values; see `Codec`. */
export type AnyCodec =
  | {
      readonly name?: string | undefined
      readonly format?: 'view' | undefined
      encode(value: never): Uint8Array
      decode(bytes: Uint8Array): unknown
    }
  | {
      readonly name?: string | undefined
      readonly format: 'buffer'
      encode(value: never): Uint8Array
      decode(bytes: NodeBuffer): unknown
    }
  | {
      readonly name?: string | undefined
      readonly format: 'utf8'
      encode(value: never): string
      decode(text: string): unknown
    }

/** What the option `keyEncoding` takes. */
export type KeyEncodingChoice = KeyEncodingName | AnyCodec | undefined

/** What the option `valueEncoding` takes. */
export type ValueEncodingChoice = ValueEncodingName | AnyCodec | undefined

/** Keys of a call or a sublevel: those of the encoding it names, otherwise `K`. `any` stays what it is. */
export type KeyIn<K, KE> = IsAny<KE> extends true ? KE[keyof KE] : [KE] extends [undefined] ? K : KeyOf<KE>

/** Values of a call or a sublevel: those of the encoding it names, otherwise `V`. `any` stays what it is. */
export type ValueIn<V, VE> = IsAny<VE> extends true ? VE[keyof VE] : [VE] extends [undefined] ? V : ValueOf<VE>

/** Only `any` makes nonsense of a type. Its members are `any` again: to name them, not it, keeps inference away. */
type IsAny<T> = 0 extends 1 & T ? true : false

/** What every call on keys and values takes: encodings for this call alone. */
export interface EncodingOptions<
  KE extends KeyEncodingChoice = KeyEncodingChoice,
  VE extends ValueEncodingChoice = ValueEncodingChoice
> {
  /** How keys become bytes, in place of the keyspace's encoding. */
  readonly keyEncoding?: KE | undefined
  /** How values become bytes, in place of the keyspace's encoding. */
  readonly valueEncoding?: VE | undefined
}
