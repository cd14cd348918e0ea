// A smaller input with the same fault, by leaving out and by zeroing ever smaller pieces.

/** The smallest input found for which `fails` still answers true; stops when `mayGoOn` says no. */
export async function shrink(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
  mayGoOn: () => boolean
): Promise<Uint8Array> {
  let best = input
  for (let piece = 1 << Math.max(0, 31 - Math.clz32(Math.max(1, best.length >> 1))); piece >= 1; piece >>>= 1) {
    for (let at = 0; at < best.length && mayGoOn(); ) {
      const shorter = Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + piece)])
      if (await fails(shorter)) best = shorter
      else at += piece
    }
  }
  for (let at = 0; at < best.length && mayGoOn(); at++) {
    if (best[at] === 0) continue
    const simpler = best.slice()
    simpler[at] = 0
    if (await fails(simpler)) best = simpler
  }
  return best
}
