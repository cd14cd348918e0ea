import type { KeyEncoding } from './encoding.ts'
import { describe, invalidArgument } from './failure.ts'
import { encodeText, readText, writeText } from './text.ts'

/**
 * `'utf8'`: strings as strict UTF-8, for keys (in the order of their code points) and values. Nothing is converted:
 * what is not a string is refused.
 */
export class Utf8Encoding implements KeyEncoding<unknown> {
  readonly name = 'utf8'
  readonly callsBack = false
  readonly aliasesOwned = false

  write(text: unknown, target: Uint8Array, at: number, capacity: number): number {
    if (typeof text !== 'string') throw notText(text)
    return writeText(text, target, at, capacity)
  }

  encode(text: unknown): Uint8Array {
    if (typeof text !== 'string') throw notText(text)
    return encodeText(text)
  }

  read(source: Uint8Array, start: number, end: number): string {
    return readText(source, start, end)
  }

  readOwned(source: Uint8Array, start: number, end: number): string {
    return this.read(source, start, end)
  }

  encodePrefix(prefix: unknown): Uint8Array {
    return this.encode(prefix)
  }
}

function notText(value: unknown): Error {
  return invalidArgument(
    `The encoding 'utf8' takes strings, got ${describe(value)}. Convert it, or open with an encoding that takes it.`
  )
}
