import { describe, expectTypeOf, it } from 'vitest'
import type { OpenOptions } from '../../src/db/options.ts'
import type {
  Codec,
  KeyEncodingOption,
  KeyOf,
  NodeBuffer,
  TupleKey,
  ValueEncodingOption,
  ValueOf
} from '../../src/encoding/encoding.ts'

interface User {
  name: string
}

declare const users: {
  format: 'utf8'
  encode(user: User): string
  decode(text: string): User
}

describe('the types of keys and values', () => {
  it('follow from the names of encodings', () => {
    expectTypeOf<KeyOf<undefined>>().toEqualTypeOf<string>()
    expectTypeOf<KeyOf<'utf8'>>().toEqualTypeOf<string>()
    expectTypeOf<KeyOf<'view'>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<KeyOf<'buffer'>>().toEqualTypeOf<Buffer>()
    expectTypeOf<KeyOf<'tuple'>>().toEqualTypeOf<TupleKey>()
    expectTypeOf<ValueOf<undefined>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<'msgpack'>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<'json'>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueOf<'utf8'>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<'view'>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<NodeBuffer>().toEqualTypeOf<Buffer>()
  })

  it('follow from codecs', () => {
    expectTypeOf<ValueOf<typeof users>>().toEqualTypeOf<User>()
    expectTypeOf<KeyOf<Codec<bigint>>>().toEqualTypeOf<bigint>()
    expectTypeOf<
      ValueOf<{ format: 'utf8'; encode: typeof JSON.stringify; decode: typeof JSON.parse }>
    >().toEqualTypeOf<unknown>()
  })

  it('let every codec be an option', () => {
    expectTypeOf<typeof users>().toExtend<Codec<User>>()
    expectTypeOf<typeof users>().toExtend<ValueEncodingOption>()
    expectTypeOf<Codec<bigint>>().toExtend<KeyEncodingOption>()
    expectTypeOf<{ encode(value: number): Uint8Array }>().not.toExtend<ValueEncodingOption>()
    expectTypeOf<'utf-8'>().not.toExtend<KeyEncodingOption>()
    expectTypeOf<{ keyEncoding: 'tuple'; valueEncoding: Codec<User> }>().toExtend<OpenOptions>()
    expectTypeOf<Console>().toExtend<NonNullable<OpenOptions['logger']>>()
  })
})
