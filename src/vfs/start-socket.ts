import type { Socket } from 'node:net'
import { join } from 'node:path'
import { isLightningError } from '../errors.ts'
import { discardFile } from './discard.ts'
import { listenForLiveness, type LivenessSocket, visit, type Visitor } from './liveness-socket.ts'
import { generationName, identityOfClaim, listClaims, socketName } from './lock-files.ts'
import { systemCodeOf } from './system-error.ts'

// Whoever is about to start an owner listens on a socket of this name, so that others wait for that owner instead of
// starting one each. This saves work and decides nothing: the lock does. So it does not matter that two may sign at the
// same time after one has died, or that a sign cannot be seen or made. The system ends it with its process or thread.
//
// To the lock it is a socket of somebody who tries to get the next generation: the next owner sweeps it away. It is
// beside the database only: among the temporary files others could make it, and what its maker says is believed.

/** The token of these sockets, which no attempt at the lock has. */
const token = '0'

/** Somebody else's sign. */
export interface OtherStart {
  /** A connection, which ends with the sign; undefined when there are too many. */
  readonly socket: Socket | undefined
  /** Tells this sign from a later one. */
  readonly identity: string
}

/**
 * Signs that this thread is starting an owner; gives another's sign if there is one, and undefined where none can be
 * made. Those who wait are given to `visitor`. The sign of the identity `givenUp` is replaced.
 */
export async function signStart(
  directory: string,
  visitor: Visitor,
  givenUp: string | undefined
): Promise<LivenessSocket | OtherStart | undefined> {
  // Pipes are not in the directory.
  if (process.platform === 'win32') return undefined
  try {
    return await sign(directory, visitor, givenUp)
  } catch (error) {
    // Many file systems take no sockets, and there may be no such directory (any more).
    if (codeOf(error) === undefined) throw error
    return undefined
  }
}

async function sign(
  directory: string,
  visitor: Visitor,
  givenUp: string | undefined
): Promise<LivenessSocket | OtherStart> {
  const next = (listClaims(directory).generations.at(-1) ?? 0) + 1
  const name = socketName(generationName(next), token)
  for (let attempt = 1; ; attempt++) {
    const identity = identityOfClaim(directory, name)
    if (identity !== undefined) {
      // It may be that of somebody who has died.
      const found = identity === givenUp ? undefined : await visitStart(directory, name)
      if (found !== undefined) return { socket: found === 'busy' ? undefined : found, identity }
      discardFile(join(directory, name))
    }
    try {
      return await listenForLiveness(directory, name, visitor)
    } catch (error) {
      // Somebody else was faster.
      if (codeOf(error) !== 'EADDRINUSE' || attempt > 1) throw error
    }
  }
}

/** Undefined: whoever signed is gone. */
async function visitStart(directory: string, name: string): Promise<Socket | 'busy' | undefined> {
  try {
    return await visit(directory, name)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EAGAIN') return 'busy'
    if (code === 'EACCES' || code === 'EPERM') throw error
    return undefined
  }
}

function codeOf(error: unknown): string | undefined {
  return systemCodeOf(isLightningError(error) ? error.cause : error)
}
