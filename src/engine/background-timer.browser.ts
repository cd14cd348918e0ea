/** As in `background-timer.ts`: in browsers timers are numbers and keep nothing alive. */
export function backgroundTimer(work: () => void, delayMs: number): ReturnType<typeof setTimeout> {
  return setTimeout(work, delayMs)
}
