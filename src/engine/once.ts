/** Work that is done once, however often it is asked for: everybody gets the same promise. */
export class Once {
  #done: Promise<void> | undefined

  run(work: () => Promise<void>): Promise<void> {
    if (this.#done === undefined) {
      let settle: (done: Promise<void>) => void = () => undefined
      // Made before the work begins: that may call listeners, who may ask for it, too.
      this.#done = new Promise(resolve => {
        settle = resolve
      })
      settle(work())
    }
    return this.#done
  }
}
