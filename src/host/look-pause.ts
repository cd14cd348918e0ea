const longestPauseMs = 50

/** The pause before a client looks for an owner again; random, so that clients do not look in step. */
export function lookPause(look: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, Math.random() * Math.min(longestPauseMs, 2 ** look))
  })
}
