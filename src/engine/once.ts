/** Work that is done once, however often it is asked for: everybody gets the same promise. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    if (done === undefined) {
      let settle: (done: Promise<void>) => void = () => undefined
      // Made before the work begins: that may call listeners, who may ask for it, too.
      done = new Promise(resolve => {
        settle = resolve
      })
      settle(work())
    }
    return done
  }
}
