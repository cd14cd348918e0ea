// Keys and keyspaces as messages show them.
const mostCharacters = 60

/** A key as a person can read it: text in quotes where it is text, else hexadecimal digits. */
export function keyText(key: Uint8Array): string {
  let text: string
  try {
    text = JSON.stringify(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key))
  } catch {
    // Not text: that is what is being found out.
    text = `0x${Array.from(key.subarray(0, mostCharacters), byte => byte.toString(16).padStart(2, '0')).join('')}`
  }
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`
}

/** Encoded bounds of keys: `from` belongs to the range, `to` does not; undefined is an open end. */
export interface KeyRange {
  /** Its first key; undefined: open. */
  readonly from: Uint8Array | undefined
  /** The first key behind it; undefined: open. */
  readonly to: Uint8Array | undefined
}

/** "keys from … up to …" */
export function rangeText({ from, to }: KeyRange): string {
  if (from === undefined && to === undefined) return 'all keys'
  if (from === undefined || to === undefined) {
    return from === undefined
      ? `keys below ${keyText(to ?? from ?? new Uint8Array(0))}`
      : `keys from ${keyText(from)} on`
  }
  const isOne = to.length === from.length + 1 && to.at(-1) === 0 && from.every((byte, i) => byte === to[i])
  return isOne ? `the key ${keyText(from)}` : `keys from ${keyText(from)} up to ${keyText(to)}`
}

/** "the database's own keyspace", or which sublevel. */
export function sublevelText(names: readonly string[]): string {
  return names.length === 0
    ? "the database's own keyspace"
    : `the sublevel ${names.map(name => JSON.stringify(name)).join(' / ')}`
}
