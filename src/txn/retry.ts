// Runs a body again when its transaction has lost, by a conflict or as the victim of a deadlock, even if the body has
// caught the error. Every attempt is a transaction of its own, but all have the age of the first.
//
// Between two attempts there is a pause of random length, the longest one doubling each time ("full jitter"): those who
// collided do not collide again in step. There is none before the first attempt that claims (`claims.ts`): those who
// collide then begin one after the other.
import { abortError } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'

const firstPauseMs = 1
const longestPauseMs = 128

/** Bounds of all attempts together. */
export interface RetryOptions {
  /** Attempts after the first. */
  readonly retries: number
  /** Milliseconds; undefined: no bound. */
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/** What is run again: a transaction in this thread, or a client's. */
export interface Repeatable {
  /** The conflict or deadlock that it lost by, if it did. */
  readonly loss: LightningError | undefined
  /** Whether its writes are visible: nothing can undo it any more but a failing disk. */
  readonly isApplied: boolean
  /** Whether its commit is under way in another thread: only the answer tells whether a `rollback` came in time. */
  readonly endsByAnswer?: boolean
  /** Whether it was committed or rolled back through its own methods. */
  readonly wasEndedByCaller: boolean
  /** The first commit that was asked for. */
  readonly ending: Promise<void> | undefined
  /** Whether `loss` would give something; an error that nobody sees need not be made. */
  readonly hasLost?: boolean
  /** Commits; undefined when it has lost at once. When it loses after a wait, the promise may resolve all the same. */
  commitOrLose(): Promise<void> | undefined
  /** Whether the next attempt waits for its turn among those that it collides with. */
  readonly needsNoPause?: boolean
  /** What `commitOrLose` gives when there is nothing to wait for, if there is such a promise. */
  readonly settled?: Promise<void> | undefined
  /** Undoes everything; may be called again. */
  rollback(): void
}

/** The handle that the body gets. It is watched by the garbage collector: a body may drop it and never end. */
interface Watched {
  unwatch(): void
}

/** An attempt under way: the transaction, and its handle. */
export interface Attempt<T extends Repeatable, H> {
  readonly transaction: T
  readonly handle: H & Watched
}

/**
 * Begins an attempt, the one before it given from the second on. If it must wait, `onWait` gets what ends the wait; that is
 * called when the attempt is not wanted any more.
 */
export type Begin<T extends Repeatable, H, O extends RetryOptions = RetryOptions> = (
  attempt: number,
  previous: T | undefined,
  options: O,
  onWait: ((stop: () => void) => void) | undefined
) => Attempt<T, H> | Promise<Attempt<T, H>>

/** Where attempts wait for their turn to begin. */
export interface Turns {
  /** Resolves when it is an attempt's turn; undefined: at once. */
  enter(attempt: number): Promise<void> | undefined
  /** An attempt whose turn it is does not begin. */
  pass(): void
}

/**
 * Runs the body until it commits. Rejects with what the body throws, `LIGHTNING_TIMEOUT`, `LIGHTNING_ABORTED`, what the
 * commit failed by, and `LIGHTNING_CONFLICT` or `LIGHTNING_DEADLOCK` after the last attempt.
 */
export function runWithRetries<T extends Repeatable, H, R, O extends RetryOptions>(
  begin: Begin<T, H, O>,
  body: (handle: H) => R | PromiseLike<R>,
  options: O,
  turns?: Turns
): Promise<R> {
  if (options.timeoutMs !== undefined || options.signal !== undefined) return runBounded(begin, body, options, turns)
  return runAttempts(begin, body, options, turns, undefined)
}

async function runBounded<T extends Repeatable, H, R, O extends RetryOptions>(
  begin: Begin<T, H, O>,
  body: (handle: H) => R | PromiseLike<R>,
  options: O,
  turns: Turns | undefined
): Promise<R> {
  if (options.signal?.aborted === true) throw aborted(options.signal)
  const bounds = new Bounds(options)
  try {
    return await runAttempts(begin, body, options, turns, bounds)
  } finally {
    bounds.end()
  }
}

/** One function, since each of a thousand that run at once costs its promise and its variables. */
async function runAttempts<T extends Repeatable, H, R, O extends RetryOptions>(
  begin: Begin<T, H, O>,
  body: (handle: H) => R | PromiseLike<R>,
  options: O,
  turns: Turns | undefined,
  bounds: Bounds | undefined
): Promise<R> {
  let previous: T | undefined
  for (let attempt = 1; ; attempt++) {
    const turned = turns?.enter(attempt)
    if (turned !== undefined) await (bounds === undefined ? turned : turnedInTime(turned, turns, bounds))
    const begun = begin(attempt, previous, options, bounds?.onWait)
    const { transaction, handle } =
      begun instanceof Promise ? await (bounds === undefined ? begun : begunInTime(begun, bounds)) : begun
    previous = transaction
    bounds?.watch(transaction)
    try {
      // A bound may have been reached while it began elsewhere.
      bounds?.check()
      const work = body(handle)
      const result = await (bounds === undefined ? work : bounds.race(Promise.resolve(work)))
      const committed = commitAfter(transaction, handle)
      // Most need not wait for anything.
      if (committed !== undefined && committed !== transaction.settled) {
        await (bounds === undefined ? committed : bounds.race(committed))
      }
      if (committed !== undefined && transaction.hasLost !== true) return result
      bounds?.check()
    } catch (error) {
      const hasLost = transaction.loss !== undefined
      // The body may not have waited for a commit of its own. If that has lost, the body is run again: no unhandled
      // rejection then.
      if (hasLost) transaction.ending?.catch(() => undefined)
      transaction.rollback()
      handle.unwatch()
      bounds?.check()
      if (!hasLost) throw error
    }
    bounds?.checkReached()
    if (attempt > options.retries) throw transaction.loss
    bounds?.watch(undefined)
    if (transaction.needsNoPause === true) continue
    const pauseMs = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt)
    await (bounds === undefined ? pause(pauseMs) : bounds.race(pause(pauseMs)))
  }
}

/** Waits for a turn. After a bound it is passed on when it comes. */
async function turnedInTime(turned: Promise<void>, turns: Turns | undefined, bounds: Bounds): Promise<void> {
  try {
    await bounds.race(turned)
  } catch (error) {
    void turned.then(() => turns?.pass())
    throw error
  }
}

/** Waits for the beginning of an attempt, which may need an owner or a turn. After a bound it is rolled back at once. */
async function begunInTime<T extends Repeatable, H>(
  begun: Promise<Attempt<T, H>>,
  bounds: Bounds
): Promise<Attempt<T, H>> {
  try {
    return await bounds.race(begun)
  } catch (error) {
    begun.then(({ transaction }) => transaction.rollback()).catch(() => undefined)
    throw error
  }
}

/** Commits what a body has done that has returned; undefined when that has lost. */
function commitAfter(transaction: Repeatable, handle: Watched): Promise<void> | undefined {
  handle.unwatch()
  if (transaction.hasLost ?? transaction.loss !== undefined) throw transaction.loss
  // A body that has ended its transaction itself decided so.
  return transaction.wasEndedByCaller ? endingOf(transaction) : transaction.commitOrLose()
}

/** The body may not have waited for its own commit. Errors of that, unless it has lost, are reported by its own promise. */
async function endingOf(transaction: Repeatable): Promise<void> {
  await transaction.ending?.catch(() => undefined)
  if (transaction.loss !== undefined) throw transaction.loss
}

/** A timeout and a signal. They end the current transaction, unless that has been applied already. */
class Bounds {
  #transaction: Repeatable | undefined
  /** Ends what an attempt waits for before it begins. */
  #stopWait: (() => void) | undefined
  #error: LightningError | undefined
  /** Set when a bound was reached, whether it has ended a transaction or not. */
  #reached: LightningError | undefined
  readonly #stopped: Promise<never>
  #reject: (error: LightningError) => void = () => undefined
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  readonly #signal: AbortSignal | undefined

  constructor({ timeoutMs, signal }: RetryOptions) {
    this.#stopped = new Promise<never>((_, reject) => {
      this.#reject = reject
    })
    // Between two races nobody listens: no unhandled rejection then.
    this.#stopped.catch(() => undefined)
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort)
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#stop(timedOut(timeoutMs)), timeoutMs)
  }

  /** Sets the current transaction. */
  watch(transaction: Repeatable | undefined): void {
    this.#transaction = transaction
    this.#stopWait = undefined
  }

  readonly onWait = (stop: () => void): void => {
    this.#stopWait = stop
  }

  /** What `work` gives, or the error of a bound that is reached before. */
  race<R>(work: Promise<R>): Promise<R> {
    return Promise.race([work, this.#stopped])
  }

  /** Throws when a bound has ended a transaction. */
  check(): void {
    if (this.#error !== undefined) throw this.#error
  }

  /** Throws when a bound was reached, though too late to end anything: what was applied may be lost all the same. */
  checkReached(): void {
    if (this.#reached !== undefined) throw this.#reached
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => this.#stop(aborted(this.#signal))

  #stop(error: LightningError): void {
    this.#reached ??= error
    // What is applied is committed; only its durability is waited for.
    if (this.#transaction?.isApplied === true) return
    this.#error = error
    this.#transaction?.rollback()
    this.#stopWait?.()
    if (this.#transaction?.endsByAnswer === true) return
    this.#reject(error)
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, milliseconds)
  })
}

function timedOut(timeoutMs: number): LightningError {
  return new LightningError(
    'LIGHTNING_TIMEOUT',
    `The transaction was not done after ${timeoutMs} ms (option timeoutMs) and was rolled back. Allow it more time, or ` +
      'do less in it.'
  )
}

function aborted(signal: AbortSignal | undefined): LightningError {
  return abortError(signal, 'The transaction was aborted by its signal and rolled back.')
}
