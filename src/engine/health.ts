// Whether writing works, as `stats().health` and the events 'degraded' and 'recovered' report it.
//
//   ok         writes work
//   full       the disk or the quota is full: writes that grow the data are refused; reading, deleting and closing work
//   disturbed  after a fault, commits that were not durable were rolled back; the next ones may work
//   failed     a sync failed, or rolled-back frames could not be erased: writes are refused until the next opening
import { isLightningError, type LightningErrorCode } from '../errors.ts'
import { isDiskFull } from '../store/failures.ts'
import type { Events } from './events.ts'

/** Whether writing works; see `docs/operations.md`. */
export type HealthState = 'ok' | 'full' | 'disturbed' | 'failed'

/** The state, since when and why. */
export interface HealthReport {
  /** Whether writing works. */
  readonly state: HealthState
  /** When the state began, in milliseconds since 1970; 0 for `'ok'`. */
  readonly sinceMs: number
  /** Code of the error that writes got; empty for `'ok'`. */
  readonly code: LightningErrorCode | ''
  /** Its message. */
  readonly message: string
}

/** Sequence numbers of commits that were acknowledged and are gone: only those of relaxed durability can be. */
export interface LostCommits {
  /** The first. */
  readonly from: number
  /** The last. */
  readonly to: number
}

const ok: HealthReport = { state: 'ok', sinceMs: 0, code: '', message: '' }

export class Health {
  readonly #events: Events
  #report = ok
  /** Writing is known to work again when a commit with this number or a later one is durable. */
  #provenBy = Number.POSITIVE_INFINITY

  constructor(events: Events) {
    this.#events = events
  }

  get report(): HealthReport {
    return this.#report
  }

  /** A write was refused with `error`, and nothing has changed. Only the first one is reported as an event. */
  refused(error: unknown): void {
    if (this.#report.state === 'ok' || this.#report.state === 'disturbed') this.#enter('full', error, false)
    this.#provenBy = Number.POSITIVE_INFINITY
  }

  /** A commit that may grow the data was admitted; its number is `lsn`. */
  admitted(lsn: number): void {
    if (this.#report.state === 'full' && this.#provenBy === Number.POSITIVE_INFINITY) this.#provenBy = lsn
  }

  /** Commits after `durableLsn` were rolled back because of `error`. `isFailed`: and no more can be written. */
  tookBack(error: unknown, durableLsn: number, isFailed: boolean, lost: LostCommits | undefined): void {
    const isFull = isDiskFull(error)
    this.#provenBy = isFull ? Number.POSITIVE_INFINITY : durableLsn + 1
    this.#enter(isFailed ? 'failed' : isFull ? 'full' : 'disturbed', error, true, lost)
  }

  /** Everything up to `lsn` is durable. To be called before the promises that wait for it resolve. */
  durable(lsn: number): void {
    if (lsn < this.#provenBy || this.#report.state === 'ok' || this.#report.state === 'failed') return
    const durationMs = Math.max(0, Date.now() - this.#report.sinceMs)
    this.#report = ok
    this.#provenBy = Number.POSITIVE_INFINITY
    this.#events.emit('recovered', { lsn, durationMs })
  }

  #enter(state: HealthState, cause: unknown, undone: boolean, lost?: LostCommits): void {
    const sinceMs = this.#report.state === state ? this.#report.sinceMs : Date.now()
    const code = isLightningError(cause) ? cause.code : 'LIGHTNING_IO'
    const message = cause instanceof Error ? cause.message : String(cause)
    this.#report = { state, sinceMs, code, message }
    this.#events.emit('degraded', { ...this.#report, cause, undone, ...(lost === undefined ? {} : { lost }) })
  }
}
