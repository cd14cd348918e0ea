import { LightningError } from '../errors.ts'
import { browserError } from './browser-error.ts'
import type { VfsLock, VfsLockKind } from './vfs.ts'

// The lock in browsers is a Web Lock. The browser frees it when its tab or worker ends, however that happens, so it
// proves by itself that its holder is alive (docs/durability.md, rule 20) and needs no generations. A second Web Lock,
// whose name tells who holds the first, is only for messages. If another program of this site opens the files without
// this lock, the file handles refuse: browsers give out only one for writing.

/** Takes the lock of the directory `path`, or throws `LIGHTNING_LOCKED`, `LIGHTNING_UNAVAILABLE`. */
export async function takeWebLock(path: string, location: string, kind: VfsLockKind): Promise<VfsLock> {
  const locks = lockManager(location)
  const name = `lightning-db:${path}`
  const lock = new WebLock(kind, location)
  if (!(await lock.request(locks, name))) throw await locked(locks, name, location)
  const note = new WebLock('shared', location)
  try {
    await note.request(locks, `${name}${noteMark}${kind === 'shared' ? 'reading' : 'writing'} ${describeThread()}`)
  } catch (error) {
    await lock.release()
    throw error
  }
  lock.note = note
  return lock
}

const noteMark = '#open for '

function lockManager(location: string): LockManager {
  if (typeof navigator !== 'undefined' && navigator.locks !== undefined) return navigator.locks
  throw new LightningError(
    'LIGHTNING_UNAVAILABLE',
    `Cannot lock ${location}: this page has no Web Locks. Serve it over HTTPS or from localhost.`
  )
}

class WebLock implements VfsLock {
  readonly kind: VfsLockKind
  /** The lock whose name tells others who holds this one; released with it. */
  note: WebLock | undefined
  readonly #location: string
  #isHeld = false
  #letGo: () => void = () => undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(kind: VfsLockKind, location: string) {
    this.kind = kind
    this.#location = location
  }

  /** Whether it was free. */
  request(locks: LockManager, name: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const held = locks.request(name, { mode: this.kind, ifAvailable: true }, lock => {
        this.#isHeld = lock !== null
        resolve(this.#isHeld)
        return lock === null ? undefined : new Promise<void>(letGo => (this.#letGo = letGo))
      })
      // It also rejects when somebody steals the lock, long after it was granted.
      this.#ended = held.then(
        () => undefined,
        error => {
          this.#isHeld = false
          reject(browserError(error, 'lock', this.#location))
        }
      )
    })
  }

  ours(): boolean {
    return this.#isHeld
  }

  async release(): Promise<void> {
    this.#isHeld = false
    await this.note?.release()
    this.#letGo()
    await this.#ended
  }
}

async function locked(locks: LockManager, name: string, location: string): Promise<LightningError> {
  const { held = [] } = await locks.query()
  const note = held.map(lock => lock.name ?? '').find(each => each.startsWith(name + noteMark))
  const who = note === undefined ? 'open in another tab or worker' : note.slice(name.length + 1)
  const message = `The database at ${location} is ${who}. Close it there first, or share it by connect() in both places.`
  return new LightningError('LIGHTNING_LOCKED', message, { file: location })
}

/** "in the worker "app" of https://…, since …". */
function describeThread(): string {
  const name: unknown = Reflect.get(globalThis, 'name')
  const called = typeof name === 'string' && name !== '' ? ` "${name}"` : ''
  return `in a worker${called} of ${globalThis.location?.origin ?? 'this site'}, since ${new Date().toISOString()}`
}
