import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { join } from 'node:path'
import { isLightningError, LightningError } from '../errors.ts'
import {
  generationName,
  identityOfClaim,
  isReaderName,
  lastGeneration,
  listClaims,
  publishClaim,
  readClaim,
  readerName,
  removeClaim,
  rewriteClaim,
  sweepLockFiles,
  sweepSockets
} from './lock-files.ts'
import type { Visitor } from './liveness-socket.ts'
import { describeHolder, formatHolder, placeDirectory, placePrefix } from './lock-holder.ts'
import { announce, isSeen, type Presence, type Standing, standingOf } from './lock-standing.ts'
import { systemCodeOf } from './system-error.ts'
import type { VfsLock, VfsLockKind } from './vfs.ts'

// The lock (docs/durability.md, rules 20 and 21) must get three things right. `lock-files.ts` lists its files.
//
// 1. A holder that has died does not hold the lock any more, and a living one does, however busy it is. Every holder
//    listens on a socket from before its lock file appears until after it is done; see `liveness-socket.ts`.
//
// 2. Of two openers that find the same dead holder, only one wins. Say the holder of LOCK.7 is dead. Both try to create
// LOCK.8, and only one can. But since we looked, somebody else may have created LOCK.8, been followed by the owner of
// LOCK.9, and been swept away by that one. Then we create a second LOCK.8, beside LOCK.9. So after creating it we look
//    at LOCK.7 again. Owners remove generations in ascending order, so if LOCK.7 is still there, no LOCK.8 has been
// removed (except by a candidate that withdrew). Then ours is the only one, and whoever comes later finds it, and finds
// us alive. If there was no LOCK.7, since nobody had locked the directory, we look for any other lock file instead. In
// that case owners may have come and removed every lock file, our socket included, so at the end we look for our own.
//
// 3. Readers and a writer notice each other. Each creates its own file first and looks for the other's afterwards, so
// of
// two that come at the same time at least one sees the other and withdraws. A reader has a file of its own, `LOCK.r-…`,
//    and takes no generation. The writer looks for readers after it has created its generation.
//
// A candidate that withdraws because of readers marks its generation as released, since the newest generation must
// stay. Nothing here waits, except for a moment when a reader may be about to withdraw.

/** Attempts before giving up. Each that fails means that somebody else has just taken the lock, or failed to. */
const attempts = 50
/**
 * Takes the lock of `directory`, or throws `LIGHTNING_LOCKED`, `LIGHTNING_NOT_FOUND`, `LIGHTNING_PERMISSION`…
 * Connections to the socket of an exclusive lock are given to `visitor`.
 */
export async function takeSocketLock(directory: string, kind: VfsLockKind, visitor?: Visitor): Promise<VfsLock> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const lock = kind === 'exclusive' ? await tryExclusive(directory, visitor) : await tryShared(directory)
    if (lock !== undefined) return lock
  }
  const message = `The database at ${directory} is locked: other openers keep taking and leaving it. Try again later.`
  throw new LightningError('LIGHTNING_LOCKED', message, { file: directory })
}

/**
 * The `LIGHTNING_LOCKED` that whoever wants the exclusive lock would get of its holder now; undefined when there is
 * none. The lock is not taken for it: others that come at that moment would be refused for nobody's sake.
 */
export async function refusalOf(directory: string): Promise<LightningError | undefined> {
  try {
    await findFree(directory)
    return undefined
  } catch (error) {
    if (isLightningError(error, 'LIGHTNING_LOCKED')) return error
    // It is gone, and its lock with it.
    if (isLightningError(error, 'LIGHTNING_NOT_FOUND')) return undefined
    throw error
  }
}

/** The newest generation, found free, and the text of its file; generation 0: there was none. */
interface Predecessor {
  readonly generation: number
  readonly text: string | undefined
}

async function tryExclusive(directory: string, visitor: Visitor | undefined): Promise<VfsLock | undefined> {
  const predecessor = await findFree(directory)
  if (predecessor === undefined) return undefined
  await refuseReaders(directory, 1)
  if (predecessor.generation === lastGeneration) throw usedUp(directory)
  const generation = predecessor.generation + 1
  const name = generationName(generation)
  const token = newToken()
  const presence = await announce(directory, name, 'exclusive', token, visitor)
  try {
    if (!publishClaim(directory, name, formatHolder(presence.holder), token)) {
      await presence.socket.close()
      return undefined
    }
    const lock = new ExclusiveLock(directory, generation, presence)
    if (!isFirst(directory, generation, predecessor) || !isSeen(directory, presence, name)) {
      await withdraw(directory, name, presence)
      return undefined
    }
    try {
      await refuseReaders(directory, 5)
    } catch (error) {
      await lock.release()
      throw error
    }
    sweep(directory, generation, presence)
    return lock
  } catch (error) {
    await presence.socket.close()
    throw error
  }
}

async function tryShared(directory: string): Promise<VfsLock | undefined> {
  const predecessor = await findFree(directory)
  if (predecessor === undefined) return undefined
  const token = newToken()
  const name = readerName(token)
  let presence: Presence | undefined
  try {
    presence = await announce(directory, name, 'shared', token)
    if (!publishClaim(directory, name, formatHolder(presence.holder), token)) {
      await presence.socket.close()
      return undefined
    }
  } catch (error) {
    await presence?.socket.close()
    const isShut = isLightningError(error, 'LIGHTNING_READ_ONLY') || isLightningError(error, 'LIGHTNING_PERMISSION')
    if (!isShut) throw error
    return isNewest(directory, predecessor) ? new UnmarkedLock(directory, predecessor) : undefined
  }
  if (!isNewest(directory, predecessor) || !isSeen(directory, presence, name)) {
    await withdraw(directory, name, presence)
    return undefined
  }
  return new SharedLock(directory, name, presence)
}

/**
 * Finds the newest generation, if no generation has a living holder; otherwise throws `LIGHTNING_LOCKED`. Undefined: it
 * was removed while we looked, so there is a newer one.
 */
async function findFree(directory: string): Promise<Predecessor | undefined> {
  let newest: Predecessor = { generation: 0, text: undefined }
  for (const generation of listClaims(directory).generations) {
    const standing = await standingOf(directory, generationName(generation))
    if (standing.held) throw locked(directory, generationName(generation), standing)
    newest = { generation, text: standing.text }
  }
  return newest.generation > 0 && newest.text === undefined ? undefined : newest
}

/**
 * Throws `LIGHTNING_LOCKED` if a reader is alive. Asks several times, since a reader may be withdrawing because of us.
 */
async function refuseReaders(directory: string, times: number): Promise<void> {
  for (let time = 1; ; time++) {
    const found = await findReader(directory)
    if (found === undefined) return
    if (time >= times) throw found
    await setTimeout(10)
  }
}

async function findReader(directory: string): Promise<LightningError | undefined> {
  for (const name of listClaims(directory).readers) {
    const standing = await standingOf(directory, name)
    if (standing.held) return locked(directory, name, standing)
  }
  return undefined
}

/** Ends an attempt that came too late. The lock file of this number may be somebody else's by now; then it stays. */
async function withdraw(directory: string, name: string, { holder, socket }: Presence): Promise<void> {
  if (readClaim(directory, name) === formatHolder(holder)) removeClaim(directory, name)
  await socket.close()
}

/** Whether our generation, just created, is the first of its number and no higher one is there. */
function isFirst(directory: string, generation: number, predecessor: Predecessor): boolean {
  if (predecessor.generation > 0)
    return readClaim(directory, generationName(predecessor.generation)) === predecessor.text
  // Twice, since a listing may miss a file that is replaced by a higher one meanwhile.
  return [1, 2].every(() => listClaims(directory).generations.every(other => other <= generation))
}

/** Whether no generation was created after `predecessor`; looked at in an order that suits the removal of old ones. */
function isNewest(directory: string, predecessor: Predecessor): boolean {
  if (predecessor.generation === 0) return [1, 2].every(() => listClaims(directory).generations.length === 0)
  if (identityOfClaim(directory, generationName(predecessor.generation + 1)) !== undefined) return false
  return readClaim(directory, generationName(predecessor.generation)) === predecessor.text
}

class ExclusiveLock implements VfsLock {
  readonly kind = 'exclusive'
  readonly #directory: string
  readonly #generation: number
  readonly #presence: Presence
  readonly #text: string
  #identity: string | undefined
  #lost = false

  constructor(directory: string, generation: number, presence: Presence) {
    this.#directory = directory
    this.#generation = generation
    this.#presence = presence
    this.#text = formatHolder(presence.holder)
    this.#identity = identityOfClaim(directory, generationName(generation))
  }

  ours(): boolean {
    try {
      this.#lost ||= !this.#isNewest()
      return !this.#lost
    } catch (error) {
      // It cannot be found out now, which is no proof that the lock is lost.
      if (systemCodeOf(error) === undefined) throw error
      return false
    }
  }

  async release(): Promise<void> {
    if (this.ours()) this.#markReleased()
    this.#lost = true
    await this.#presence.socket.close()
  }

  #isNewest(): boolean {
    const name = generationName(this.#generation)
    if (identityOfClaim(this.#directory, generationName(this.#generation + 1)) !== undefined) return false
    const identity = identityOfClaim(this.#directory, name)
    if (identity === undefined || identity === this.#identity) return identity !== undefined
    // Somebody has touched the file, or the file system does not keep its numbers: then its content decides.
    if (readClaim(this.#directory, name) !== this.#text) return false
    this.#identity = identity
    return true
  }

  #markReleased(): void {
    try {
      const text = formatHolder({ ...this.#presence.holder, released: true })
      rewriteClaim(this.#directory, generationName(this.#generation), text, newToken())
    } catch (error) {
      // Perhaps the disk is full. The mark only saves the next opener a question: without the socket the lock is free.
      if (systemCodeOf(error) === undefined) throw error
    }
  }
}

class SharedLock implements VfsLock {
  readonly kind = 'shared'
  readonly #directory: string
  readonly #name: string
  readonly #presence: Presence
  #lost = false

  constructor(directory: string, name: string, presence: Presence) {
    this.#directory = directory
    this.#name = name
    this.#presence = presence
  }

  ours(): boolean {
    this.#lost ||= identityOfClaim(this.#directory, this.#name) === undefined
    return !this.#lost
  }

  async release(): Promise<void> {
    this.#lost = true
    removeClaim(this.#directory, this.#name)
    await this.#presence.socket.close()
  }
}

/** A reader's lock on a medium that cannot be written: it has no file, and can only notice that a writer has come. */
class UnmarkedLock implements VfsLock {
  readonly kind = 'shared'
  readonly #directory: string
  readonly #predecessor: Predecessor
  #lost = false

  constructor(directory: string, predecessor: Predecessor) {
    this.#directory = directory
    this.#predecessor = predecessor
  }

  ours(): boolean {
    this.#lost ||= !isNewest(this.#directory, this.#predecessor)
    return !this.#lost
  }

  async release(): Promise<void> {
    this.#lost = true
  }
}

function sweep(directory: string, generation: number, presence: Presence): void {
  const { place, socket } = presence.holder
  sweepLockFiles(directory, generation, socket)
  if (place !== 'temporary') return
  try {
    sweepSockets(placeDirectory(place, directory), placePrefix(place, directory), generation, socket)
  } catch (error) {
    // What stays does no harm, here as beside the database.
    if (systemCodeOf(error) === undefined) throw error
  }
}

function locked(directory: string, name: string, { holder, certain }: Standing): LightningError {
  const purpose = isReaderName(name) ? 'reading' : 'writing'
  const advice = certain
    ? 'Close it there first, or share it by connect() in both places.'
    : `Whether it still runs cannot be seen from here; only if it is gone for certain, remove ${join(directory, name)}.`
  const message = `The database at ${directory} is open for ${purpose} in ${describeHolder(holder)}. ${advice}`
  return new LightningError('LIGHTNING_LOCKED', message, { file: join(directory, name) })
}

/** A lock file of the next number would not be taken for one by anybody. */
function usedUp(directory: string): LightningError {
  const path = join(directory, generationName(lastGeneration))
  const message =
    `The database at ${directory} cannot be locked: ${path} was not made by a holder of the lock, and there is no higher ` +
    'number. Make sure that nobody has the database open, then remove that file.'
  return new LightningError('LIGHTNING_LOCKED', message, { file: path })
}

function newToken(): string {
  return randomBytes(6).toString('hex')
}
