/** Whether two arrays hold the same bytes. For large ones, since `toEqual` is slow. */
export function equalBytes(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((byte, i) => byte === other[i])
}
