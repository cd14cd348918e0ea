// Text whose characters are bytes, U+0000 to U+00FF. `String.fromCharCode` gets all of them in one call, since pieces that
// are put together are kept by engines as such, and takes a plain array as arguments several times as fast as bytes.

/** Longer text takes longer this way than by a call into the platform (measured, docs/encodings.md). */
export const mostCharacters = 160

/** An array for each length, since all elements there are become arguments. */
const arrays = new Array<number[] | undefined>(mostCharacters + 1).fill(undefined)

/** The bytes from `start` to `end`, `mostCharacters` at most, as text; undefined when one of them is above `largest`. */
export function characterText(source: Uint8Array, start: number, end: number, largest: number): string | undefined {
  const length = end - start
  arrays[length] ??= new Array<number>(length).fill(0)
  const codes = arrays[length]
  let all = 0
  for (let i = 0; i < length; i++) {
    const code = source[start + i] ?? 0
    all |= code
    codes[i] = code
  }
  return all > largest ? undefined : String.fromCharCode(...codes)
}
