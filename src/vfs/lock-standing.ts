import { readdirSync, statfsSync } from 'node:fs'
import type { Socket } from 'node:net'
import { listenForLiveness, type LivenessSocket, probeLiveness, visit, type Visitor } from './liveness-socket.ts'
import { claimOfSocket, generationName, identityOfClaim, listClaims, readClaim, socketName } from './lock-files.ts'
import {
  canSee,
  type LockHolder,
  mayBeBusy,
  parseHolder,
  placeDirectory,
  placePrefix,
  type SocketPlace,
  thisHolder
} from './lock-holder.ts'
import { isLightningError } from '../errors.ts'
import { systemCodeOf, systemError } from './system-error.ts'
import type { VfsLockKind } from './vfs.ts'

// The two sides of liveness: giving the sign of life that a lock file promises, and checking that of another holder.

/** A holder as its lock file describes it, and the socket on which it listens. */
export interface Presence {
  readonly holder: LockHolder
  readonly socket: LivenessSocket
}

/**
 * Where sockets may be, the best place first: beside the database every process that reaches the one finds the other.
 */
const places: readonly SocketPlace[] = process.platform === 'win32' ? ['pipe'] : ['beside', 'temporary']

/**
 * Begins to listen for the lock file `claim`, before that file is made: a lock file without a socket counts as dead. A
 * `visitor` takes those who connect.
 */
export async function announce(
  directory: string,
  claim: string,
  kind: VfsLockKind,
  token: string,
  visitor?: Visitor
): Promise<Presence> {
  let failure: unknown
  for (const place of places) {
    const name = placePrefix(place, directory) + socketName(claim, token)
    try {
      const socket = await listenForLiveness(placeDirectory(place, directory), name, visitor)
      return { holder: thisHolder(kind, place, name), socket }
    } catch (error) {
      // Many file systems take no sockets. If this one takes no files either, making the lock file will say so.
      failure ??= error
    }
  }
  throw failure
}

/** Whether both, the lock file `claim` and the socket, are still there: others may have taken them for a dead one's. */
export function isSeen(directory: string, { holder }: Presence, claim: string): boolean {
  if (identityOfClaim(directory, claim) === undefined) return false
  return holder.place === 'pipe' || identityOfClaim(directoryOf(holder, directory), holder.socket) !== undefined
}

/** What a lock file means now. `text` is undefined when there is no such file (any more). */
export interface Standing {
  readonly held: boolean
  /** Undefined if the file cannot be read or understood. */
  readonly holder: LockHolder | undefined
  /** False when its holder cannot be asked from here: it is then taken for held, and only a person can decide. */
  readonly certain: boolean
  readonly text: string | undefined
}

/** Finds out whether the holder of the lock file `claim` is alive. If it is not, that is final. */
export async function standingOf(directory: string, claim: string): Promise<Standing> {
  const text = readClaim(directory, claim)
  if (text === undefined) return { held: false, holder: undefined, certain: true, text }
  const holder = holderIn(text, claim)
  if (holder === undefined) {
    return { held: await hasLiveSocket(directory, claim), holder, certain: true, text }
  }
  if (holder.released) return { held: false, holder, certain: true, text }
  const liveness = await probeLiveness(directoryOf(holder, directory), holder.socket)
  if (liveness === 'alive') return { held: true, holder, certain: true, text }
  const isSilent = liveness === 'dead' || (liveness === 'refused' && !mayBeBusy(holder))
  const certain = isSilent && canSee(holder, () => isShared(directory, holder))
  return { held: !certain, holder, certain, text }
}

/** Who holds a lock, and a connection to it. */
export interface HolderConnection {
  readonly holder: LockHolder
  readonly socket: Socket
}

/**
 * Connects to whoever holds the exclusive lock of `directory`; undefined when nobody does, `'busy'` when more wait
 * there than it can take at once, `'forbidden'` when it takes none of this user. Whether it takes clients shows when it
 * answers.
 */
export async function visitHolder(directory: string): Promise<HolderConnection | 'busy' | 'forbidden' | undefined> {
  const newest = newestGeneration(directory)
  const claim = generationName(newest)
  const text = newest === 0 ? undefined : readClaim(directory, claim)
  const holder = text === undefined ? undefined : holderIn(text, claim)
  if (holder === undefined || holder.released) return undefined
  try {
    const socket = await visit(directoryOf(holder, directory), holder.socket)
    return { holder, socket }
  } catch (error) {
    switch (systemCodeOf(error)) {
      case 'EAGAIN':
        return 'busy'
      case 'EACCES':
      case 'EPERM':
        return 'forbidden'
      default:
        // That it has died is for the one to say who tries to take the lock.
        return undefined
    }
  }
}

/** 0 when there is none. What is wrong with a path that leads to a file, an opening tells better. */
function newestGeneration(directory: string): number {
  try {
    return listClaims(directory).generations.at(-1) ?? 0
  } catch (error) {
    if (isLightningError(error) && ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error.cause) ?? '')) return 0
    throw error
  }
}

/** The holder of `claim` by its text; what names another's socket is no better than what names none. */
function holderIn(text: string, claim: string): LockHolder | undefined {
  const holder = parseHolder(text)
  const name = holder?.socket.slice(holder.socket.indexOf('LOCK.'))
  return name !== undefined && claimOfSocket(name) === claim ? holder : undefined
}

/** Where the holder's socket is, for the database in `beside`. */
function directoryOf({ place, directory }: LockHolder, beside: string): string {
  return place === 'beside' ? beside : directory
}

/** For a lock file that tells nothing: the names of sockets begin with that of the file they stand for. */
async function hasLiveSocket(directory: string, claim: string): Promise<boolean> {
  for (const place of places) {
    const prefix = placePrefix(place, directory)
    const socketDirectory = placeDirectory(place, directory)
    for (const name of namesIn(socketDirectory)) {
      if (!name.startsWith(`${prefix}${claim}.`) || claimOfSocket(name.slice(prefix.length)) !== claim) continue
      if (['alive', 'unclear'].includes(await probeLiveness(socketDirectory, name))) return true
    }
  }
  return false
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    // Nothing there that we could have made.
    if (['ENOENT', 'EACCES', 'EPERM'].includes(systemCodeOf(error) ?? '')) return []
    throw systemError(error, 'list', directory)
  }
}

/**
 * What several machines can reach at once, by the numbers Linux gives: a socket is only seen on the one that listens. A
 * virtual machine's shared folders are among them, and FUSE, behind which may be anything.
 */
const sharedFileSystems = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xfe534d42,
  0xff534d42,
  0x01021997, // 9p
  0x65735546, // FUSE, virtiofs
  0x786f4256, // VirtualBox
  0xbacbacbc, // VMware
  0x7c7c6673, // Parallels
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x5346414f, // AFS
  0x6b414653
])

function isShared(directory: string, holder: LockHolder): boolean {
  // Windows has no such numbers; this is the lock of a Linux inside it, or of the disk's former machine.
  if (process.platform === 'win32') return holder.place !== 'pipe'
  return typeof statfsSync === 'function' && sharedFileSystems.has(statfsSync(directory).type)
}
