// Promises of calls inside a transaction. They know whether somebody handles them, because a commit fails with the
// first error that nobody has handled. They never count as unhandled rejections themselves.

/** A promise that notes when a handler is attached, by `await` or otherwise. */
export class TransactionCall<T> extends Promise<T> {
  isHandled = false
  /** Set when it has failed. */
  failure: { readonly error: unknown } | undefined

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // biome-ignore lint/suspicious/noThenProperty: this is a promise
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null
  ): Promise<A | B> {
    this.isHandled = true
    return super.then(onFulfilled, onRejected)
  }

  /** Keeps a rejection from counting as unhandled for the runtime; `isHandled` stays false. */
  silence(): void {
    super.then(undefined, ignore)
  }
}

function ignore(): void {}
