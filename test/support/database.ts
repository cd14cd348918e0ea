import { expect, onTestFinished } from 'vitest'
import {
  type Care,
  type Database,
  isLightningError,
  type KeyEncodingChoice,
  type KeyIn,
  type LightningErrorCode,
  type OpenOptions,
  open,
  type ValueEncodingChoice,
  type ValueIn
} from '../../src/index.ts'

/** The files of databases that are closed, for tests that look at them or damage them. */
export interface StoredFiles {
  /** Names, sorted; none where there is no database. */
  list(location: string): Promise<string[]>
  read(location: string, name: string): Promise<Uint8Array>
  write(location: string, name: string, content: Uint8Array | string): Promise<void>
}

/** Where the databases of a suite are kept. */
export interface Target {
  /** Undefined where nothing is kept. */
  readonly files?: StoredFiles
  /** Whether what is closed can be opened again. */
  readonly keeps: boolean
  /** Whether databases are reached by `connect`. */
  readonly isRemote?: boolean
  /** A location where there is nothing yet. */
  newLocation(): Promise<string>
}

/** Databases in memory. */
export const inMemory: Target = { keeps: false, newLocation: async () => ':memory:' }

/** Opens a database that is verified and closed when the test has ended, unless the test has closed it. */
export function openAt<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
  location: string,
  options?: OpenOptions<KE, VE>
): Promise<Database<KeyIn<string, KE>, ValueIn<unknown, VE>>> {
  return verifiedLater(open<KE, VE>(location, options))
}

/** `openAt` at a new location. */
export async function openNew<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
  target: Target,
  options?: OpenOptions<KE, VE>
): Promise<Database<KeyIn<string, KE>, ValueIn<unknown, VE>>> {
  return await openAt<KE, VE>(await target.newLocation(), options)
}

/** Calls a method as JavaScript does, with whatever arguments. */
export function callUnchecked(object: object, method: string, ...parameters: unknown[]): unknown {
  return Reflect.apply(Reflect.get(object, method), object, parameters)
}

/** Expects a rejection with this code, and gives the error. */
export async function rejection(code: LightningErrorCode, promise: unknown): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (!isLightningError(error, code)) throw error
    expect(error.message).toMatch(/^.{20,}[.?]$/s)
    return error
  }
  throw new Error(`Expected ${code}, but it resolved`)
}

async function verifiedLater<K, V>(opening: Promise<Database<K, V>>): Promise<Database<K, V>> {
  const db = await opening
  verifyAtTheEnd(db)
  return db
}

/** Verifies and closes a database, here or of a client, when the test has ended; not if the test has closed it. */
export function verifyAtTheEnd(db: Pick<Care, 'verify'> & { close(): Promise<void> }): void {
  onTestFinished(async () => {
    try {
      const report = await db.verify()
      expect(report.problems).toEqual([])
      expect(report.ok).toBe(true)
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CLOSED')) throw error
    } finally {
      await db.close()
    }
  })
}
