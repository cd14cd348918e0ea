/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which a share of `fraction` lies (nearest rank); sorts `samples`. */
export function percentile(samples: Float64Array, fraction: number): number {
  samples.sort()
  const rank = Math.min(samples.length - 1, Math.max(0, Math.ceil(samples.length * fraction) - 1))
  return samples[rank] ?? Number.NaN
}
