// A single flipped bit is the commonest damage, and a checksum tells which one it was: the one whose flip makes it
// match.

/**
 * Flips one bit after the other in `bytes`, in place, until `isRight`; tells whether one was found, which then stays
 * flipped. With a checksum of 32 bits and tables of some KiB, one wrong guess in 100,000 is to be expected where the
 * damage was another, so what was mended must be confirmed by the checksums that it holds. `turn` lets other work run.
 */
export async function withOneBitFlipped(
  bytes: Uint8Array,
  isRight: () => boolean,
  turn: () => Promise<void>
): Promise<boolean> {
  for (let at = 0; at < bytes.length; at++) {
    await turn()
    const before = bytes[at] ?? 0
    for (let bit = 0; bit < 8; bit++) {
      bytes[at] = before ^ (1 << bit)
      if (isRight()) return true
    }
    bytes[at] = before
  }
  return false
}
