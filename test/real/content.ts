// Entries that can be told from their numbers, so that whoever reads them later knows whether they are right.
export function keyOf(number: number): string {
  return `key ${number.toString().padStart(8, '0')}`
}

/** Of the given length; no two are equal, and compression gains nothing. */
export function contentFor(number: number, bytes: number): Uint8Array {
  const value = new Uint8Array(bytes)
  let state = (number + 1) * 0x9e3779b1
  for (let i = 0; i < bytes; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i
    value[i] = state >>> 24
  }
  return value
}
