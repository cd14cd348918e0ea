/** The time of a Date of any realm in milliseconds (NaN when it is invalid), or undefined when `value` is no Date. */
export function dateMs(value: unknown): number | undefined {
  try {
    return Date.prototype.getTime.call(value)
  } catch {
    return undefined
  }
}
