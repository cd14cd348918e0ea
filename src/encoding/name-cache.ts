import { readText } from './text.ts'

// Must be a power of two.
const places = 256
const longest = 24

/**
 * The member names of objects repeat from value to value. Comparing one with the name last seen in its place is
 * cheaper than making the string again, and the engine finds members by the same string faster.
 */
export class NameCache {
  readonly #names: string[] = new Array(places).fill('')

  /** The text of the bytes from `start` to `end`. Throws `LIGHTNING_DECODE`. */
  read(source: Uint8Array, start: number, end: number): string {
    const length = end - start
    if (length === 0 || length > longest) return readText(source, start, end)
    const first = source[start] ?? 0
    const last = source[end - 1] ?? 0
    const middle = source[start + (length >> 1)] ?? 0
    const place = (Math.imul(first, 31) + Math.imul(last, 7) + Math.imul(middle, 17) + length) & (places - 1)
    const known = this.#names[place] ?? ''
    if (isSpelledBy(known, source, start, length)) return known
    const name = readText(source, start, end)
    this.#names[place] = name
    return name
  }
}

/** Whether the bytes are those of `name`; never true for a name with characters beyond ASCII. */
function isSpelledBy(name: string, source: Uint8Array, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) {
    const unit = name.charCodeAt(i)
    if (unit !== source[start + i] || unit > 0x7f) return false
  }
  return true
}
