import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { join } from 'node:path'
import { isLightningError, LightningError } from '../errors.ts'
import {
  generationName,
  identityOfClaim,
  isReaderName,
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

// The lock (docs/durability.md, rules 20 and 21) has to get three things right.
//
// 1. Who holds it and has died holds it no longer, and who lives does, however busy. Every holder listens on a socket
//    from before its lock file appears until after it is done; see `liveness-socket.ts`.
//
// 2. Of two that find the same dead holder, one wins. Say LOCK.7 is dead. Both try to create LOCK.8, which only one
//    can. But a third may have been 8 already, been followed by 9, and been swept away, all since we looked: then we
//    create LOCK.8 anew, beside 9. So after that we look at LOCK.7 again. Owners remove generations in ascending order;
//    if 7 is still there no 8 was removed but by one that withdrew, so ours is the only one, and whoever comes later
//    finds it, and us alive. Without a 7 (nobody had locked the directory) we look for any other file instead. Then
//    owners may have come and removed every lock file, our socket among them: so at last we look for our own.
//
// 3. Readers and a writer see each other. Each makes its own file first and looks for the other's afterwards, so at
//    least one of two that come together sees the other and withdraws. A reader has a file of its own, `LOCK.r-…`, and
//    takes no generation; the writer looks for readers when its generation is made.
//
// A candidate that withdraws because of readers marks its generation released, since the newest must stay. Nothing here
// waits, but for the moment in which a reader may be about to withdraw.

/** More attempts than others can spoil; each spoilt one means that somebody else has just taken the lock, or failed. */
const attempts = 50
/**
 * Takes the lock of `directory`, or throws `LIGHTNING_LOCKED`, `LIGHTNING_NOT_FOUND`, `LIGHTNING_PERMISSION`… A `visitor`
 * of an exclusive lock takes those who connect to its socket.
 */
export async function takeSocketLock(directory: string, kind: VfsLockKind, visitor?: Visitor): Promise<VfsLock> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const lock = kind === 'exclusive' ? await tryExclusive(directory, visitor) : await tryShared(directory)
    if (lock !== undefined) return lock
  }
  const message = `The database at ${directory} is locked: other openers keep taking and leaving it. Try again later.`
  throw new LightningError('LIGHTNING_LOCKED', message, { file: directory })
}

/** The generation that was found free, and its text; 0 if there was none. */
interface Predecessor {
  readonly generation: number
  readonly text: string | undefined
}

async function tryExclusive(directory: string, visitor: Visitor | undefined): Promise<VfsLock | undefined> {
  const predecessor = await findFree(directory)
  if (predecessor === undefined) return undefined
  await refuseReaders(directory, 1)
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
 * The newest generation, if none has a living holder; otherwise throws `LIGHTNING_LOCKED`. Undefined when it was removed
 * while we looked: then there is a newer one.
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

/** Throws `LIGHTNING_LOCKED` if a reader lives; asks several times, since it may be withdrawing because of us. */
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

/** Ends an attempt that came too late. Its number may be somebody else's by now, whose lock file must stay. */
async function withdraw(directory: string, name: string, { holder, socket }: Presence): Promise<void> {
  if (readClaim(directory, name) === formatHolder(holder)) removeClaim(directory, name)
  await socket.close()
}

/** Whether our generation, just made, is the first of its number and no higher one is there. */
function isFirst(directory: string, generation: number, predecessor: Predecessor): boolean {
  if (predecessor.generation > 0)
    return readClaim(directory, generationName(predecessor.generation)) === predecessor.text
  // Twice, since one listing may miss a file that is replaced by a higher one while it runs.
  return [1, 2].every(() => listClaims(directory).generations.every(other => other <= generation))
}

/** Whether no generation was made after `predecessor`, in the order that the removal of old ones demands. */
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
      // Not to be told now, which is no proof that it is lost.
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
    // Somebody touched it, or the file system does not keep its numbers: what it says decides.
    if (readClaim(this.#directory, name) !== this.#text) return false
    this.#identity = identity
    return true
  }

  #markReleased(): void {
    try {
      const text = formatHolder({ ...this.#presence.holder, released: true })
      rewriteClaim(this.#directory, generationName(this.#generation), text, newToken())
    } catch (error) {
      // A full disk, perhaps. The mark only spares the next opener a question: without the socket the lock is free.
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

/** A reader on a medium that takes no lock file: it can only tell whether a writer has come since. */
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
    // As beside the database: what stays does no harm.
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

function newToken(): string {
  return randomBytes(6).toString('hex')
}
