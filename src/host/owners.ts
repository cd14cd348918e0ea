// Where a client finds the owner of a database, by environment.

import { isNodeLike } from '../vfs/environment.ts'
import type { Hello } from './handshake-messages.ts'
import type { Link } from './link.ts'
import type { OwnerOptions } from './owner-options.ts'

/** What is known of the owner that is wanted. */
export interface Wanted {
  /** Absolute path. */
  readonly location: string
  readonly hello: Hello
  readonly options: OwnerOptions
  /** Script of the owner's thread; undefined: the one that comes along. */
  readonly script: string | URL | undefined
  /** Bound of every wait for an owner's answer, in milliseconds. */
  readonly timeoutMs: number
}

/** The ways of one environment. */
export interface Owners {
  /** Connects to the owner, or starts it. `deadlineMs` is on the monotonic clock. */
  findOwner(wanted: Wanted, deadlineMs: number): Promise<Link>
  /** Starts a thread that owns the database; rejects with what it cannot be opened for. */
  startOwner(wanted: Wanted): Promise<Link>
}

/** The ways of this environment. */
export async function ownersHere(): Promise<Owners> {
  // Not static imports: elsewhere there is no node:worker_threads.
  return isNodeLike() ? await import('./node-owners.ts') : await import('./tab-owners.ts')
}
