/** The time of a Date of any realm in milliseconds (NaN when it is invalid), or undefined when `value` is no Date. */
export function dateMs(value: unknown): number | undefined {
  if (value instanceof Date) return Date.prototype.getTime.call(value)
  if (Object.prototype.toString.call(value) !== '[object Date]') return undefined
  try {
    return Date.prototype.getTime.call(value)
  } catch {
    // Something that only calls itself a Date.
    return undefined
  }
}
