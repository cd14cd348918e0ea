/** A timer that the process need not live on for. */
export function backgroundTimer(work: () => void, delayMs: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, delayMs)
  letProcessEnd(timer)
  return timer
}

/** Where timers are numbers they never keep anything alive. */
function letProcessEnd(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
}
