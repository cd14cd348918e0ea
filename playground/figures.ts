// Numbers as people read them.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

export const integer = (value: number): string => whole.format(Math.round(value))

export const perSecond = (value: number): string => `${short.format(value)}/s`

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`
  const isSmall = value < 1_048_576
  const scaled = value / (isSmall ? 1_024 : 1_048_576)
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${isSmall ? 'KiB' : 'MiB'}`
}

export function milliseconds(value: number): string {
  if (value >= 1_000) return `${(value / 1_000).toFixed(1)} s`
  return value < 1 ? `${Math.round(value * 1_000)} µs` : `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

/** The value that `share` (0 to 1) of all are not above; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
