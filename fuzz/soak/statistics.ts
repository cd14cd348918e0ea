// Whether a series of samples grows, by a measure that single outliers do not change.

/** Middle of the values; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Samples over which slopes are taken: there are as many slopes as pairs. */
const mostPoints = 240

/** How much the series rises from its begin to its end, by the median of the slopes of all pairs (Theil and Sen). */
function riseOf(values: readonly number[]): number {
  const points = condensed(values, mostPoints)
  const slopes: number[] = []
  for (const [i, from] of points.entries()) {
    for (let j = i + 1; j < points.length; j++) slopes.push(((points[j] ?? from) - from) / (j - i))
  }
  return median(slopes) * (points.length - 1)
}

/** The series as at most so many medians of neighbours. */
function condensed(values: readonly number[], most: number): number[] {
  const width = Math.ceil(values.length / most)
  const points: number[] = []
  for (let from = 0; from < values.length; from += width) points.push(median(values.slice(from, from + width)))
  return points
}

/** A series as its ends see it. */
export interface Trend {
  /** Median of the first third. */
  readonly first: number
  /** Median of the last third. */
  readonly last: number
  /** Growth that two independent measures agree on at least; 0 when they do not. */
  readonly growth: number
}

/**
 * Growth is what both say at least: the difference between the medians of the last and the first third, and the median
 * slope over the whole. A saw-tooth fools the one now and then, a step at an end the other.
 */
export function trendOf(values: readonly number[]): Trend {
  const third = Math.max(1, Math.floor(values.length / 3))
  const first = median(values.slice(0, third))
  const last = median(values.slice(-third))
  return { first, last, growth: Math.max(0, Math.min((last - first) * 1.5, riseOf(values))) }
}
