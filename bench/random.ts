// Randomness from seeds: every engine and every run sees the same order.

/** A generator of 32-bit numbers (xorshift32). */
export function generator(seed: number): () => number {
  let state = (Math.imul(seed, 2) + 1) >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** The numbers from 0 to `count` - 1 in random order (Fisher–Yates). */
export function shuffled(count: number, seed: number): Uint32Array {
  const random = generator(seed)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random() % (i + 1)
    const held = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = held
  }
  return order
}

/** `length` numbers below `count`, each as likely as any other. */
export function uniform(length: number, count: number, seed: number): Uint32Array {
  const random = generator(seed)
  return Uint32Array.from({ length }, () => random() % count)
}

/**
 * `length` numbers below `count`, skewed: the most popular is drawn about 1 / ζ(θ) of the time. Popular numbers are
 * scattered over the range, as YCSB does it, so that they do not share pages.
 *
 * Source: Gray et al., "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994; scattering as in YCSB's
 * `ScrambledZipfianGenerator`.
 */
export function zipfian(length: number, count: number, seed: number, theta = 0.99): Uint32Array {
  const random = generator(seed)
  let zeta = 0
  for (let i = 1; i <= count; i++) zeta += 1 / i ** theta
  const zetaOfTwo = 1 + 0.5 ** theta
  const alpha = 1 / (1 - theta)
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zetaOfTwo / zeta)
  return Uint32Array.from({ length }, () => {
    const u = random() / 0x1_0000_0000
    const uz = u * zeta
    let rank = Math.floor(count * (eta * u - eta + 1) ** alpha)
    if (uz < 1) rank = 0
    else if (uz < zetaOfTwo) rank = 1
    return mixed(rank) % count
  })
}

/** A number's bits well mixed (the finalizer of MurmurHash3). */
export function mixed(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
