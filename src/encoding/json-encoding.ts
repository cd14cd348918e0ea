import type { ValueEncoding } from './encoding.ts'
import { describe, invalidArgument, undecodable, unencodable } from './failure.ts'
import { encodeText, readText, writeText } from './text.ts'

// `JSON.stringify` escapes a lone surrogate as \ud…; after an escaped backslash the same characters are ordinary text.
const escapedSurrogate = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/

/**
 * `'json'`: what `JSON.stringify` makes of a value, as UTF-8. So, as always with JSON, −0 becomes 0, NaN becomes null,
 * and members that are `undefined` or functions are left out. A value that has no JSON form is refused.
 */
export class JsonEncoding implements ValueEncoding<unknown> {
  readonly name = 'json'
  readonly callsBack = false
  readonly aliasesOwned = false

  write(value: unknown, target: Uint8Array, at: number, capacity: number): number {
    const text = stringify(value)
    // `toJSON` may have made the memory grow, which detaches the target.
    return at + capacity > target.length ? -1 : writeText(text, target, at, capacity)
  }

  encode(value: unknown): Uint8Array {
    return encodeText(stringify(value))
  }

  read(source: Uint8Array, start: number, end: number): unknown {
    const text = readText(source, start, end)
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw undecodable('The stored bytes are not JSON. Read them with the encoding they were written with.', { cause })
    }
  }

  readOwned(source: Uint8Array, start: number, end: number): unknown {
    return this.read(source, start, end)
  }
}

function stringify(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw unencodable(cause, 'json', value)
  }
  if (text === undefined)
    throw invalidArgument(`JSON has no form for ${describe(value)}. Store null, or delete the key.`)
  if (text.includes('\\ud') && escapedSurrogate.test(text)) {
    throw invalidArgument('A string in the value holds a lone surrogate. Repair it, or store it as bytes.')
  }
  return text
}
