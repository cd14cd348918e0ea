import { checkInteger, checkKnown, type KnownNames } from '../encoding/arguments.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'
import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from '../db/encoding-types.ts'
import { openNames, type OpenOptions, type ParsedOptions, parseOpenOptions } from '../db/options.ts'
import { directoryName, inMemory } from '../db/location.ts'
import { RemoteDatabase } from './client-database.ts'
import { ClientSession } from './client-session.ts'
import { Connection } from './connection.ts'
import type { Hello } from './handshake-messages.ts'
import type { Link } from './link.ts'
import { type Owners, ownersHere, type Wanted } from './owners.ts'
import { ownerOptionsOf, succeeding } from './owner-options.ts'
import type { Client } from './types.ts'

/** Options of `connect`: those of `open`, and where and how long to look for an owner. */
export interface ConnectOptions<
  K extends KeyEncodingChoice = KeyEncodingChoice,
  V extends ValueEncodingChoice = ValueEncodingChoice
> extends OpenOptions<K, V> {
  /**
   * Script of the thread that owns the database: `lightning-db/worker` as your bundler or server gives it. By default
   * it is made from a text inside the package, which a content-security policy of a page must allow
   * (`worker-src blob:`).
   */
  readonly worker?: string | URL | undefined
  /**
   * Bounds every wait for an owner that gives no sign of life, in milliseconds (default 10,000). After that calls
   * reject with `LIGHTNING_OWNER_LOST`, and `connect` with `LIGHTNING_LOCKED`.
   */
  readonly ownerTimeoutMs?: number | undefined
}

const longestTimerMs = 0x7fffffff

/** The names of {@link ConnectOptions}. */
export const connectNames: KnownNames = new Set([...openNames, 'worker', 'ownerTimeoutMs'])

/**
 * Connects to the one thread that owns the database at `location`, in this process or another, or starts it. The
 * methods are those of `open`, as promises. `':memory:'` is a database of this client alone, in a thread of its own.
 *
 * Rejects as `open` does, with `LIGHTNING_LOCKED` when another thread or process has it open with `open`, or holds it
 * and does not answer, and with `LIGHTNING_VERSION` when the owner runs another version.
 */
export function connect(
  location: string,
  options?: ConnectOptions<undefined, undefined>
): Promise<Client<string, unknown>>
/** The same, with the types of keys and values that follow from the encodings. */
export function connect<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
  location: string,
  options?: ConnectOptions<KE, VE>
): Promise<Client<KeyIn<string, KE>, ValueIn<unknown, VE>>>
/** The same, with the types of keys and values given. */
export function connect<K, V = unknown>(location: string, options?: ConnectOptions): Promise<Client<K, V>>
export async function connect(location: unknown, options?: unknown): Promise<Client<unknown, unknown>> {
  const { script, timeoutMs, parsed } = parseConnectOptions(options)
  const path = location === inMemory ? inMemory : await directoryName(location, 'connect')
  const hello: Hello = {
    readOnly: parsed.readOnly,
    isStrict: parsed.durability === 'strict',
    wantsLog: parsed.logger !== undefined,
    errorIfExists: parsed.errorIfExists,
    client: crypto.getRandomValues(new Uint32Array(4)).join(' ')
  }
  const wanted: Wanted = { location: path, hello, options: ownerOptionsOf(parsed), script, timeoutMs }
  const again: Wanted = {
    ...wanted,
    hello: { ...hello, errorIfExists: false },
    options: succeeding(wanted.options)
  }
  const owners = await ownersHere()
  const deadlineMs = performance.now() + timeoutMs
  const link = path === inMemory ? await startMemory(owners, wanted) : await owners.findOwner(wanted, deadlineMs)
  const dial = path === inMemory ? lostMemory : (untilMs: number) => owners.findOwner(again, untilMs)
  const connection = new Connection(path, link, dial, timeoutMs)
  const { encodings, logger, readOnly, keyEncoding, valueEncoding } = parsed
  const session = new ClientSession(connection, { encodings, logger, readOnly, freezes: parsed.valueCache > 0 })
  return new RemoteDatabase<unknown, unknown>(session, { keyEncoding, valueEncoding })
}

async function startMemory(owners: Owners, wanted: Wanted): Promise<Link> {
  const { createIfMissing } = wanted.options
  if (createIfMissing) return await owners.startOwner(wanted)
  throw new LightningError('LIGHTNING_NOT_FOUND', 'There is no database in memory yet. Allow createIfMissing.')
}

async function lostMemory(): Promise<never> {
  throw new LightningError('LIGHTNING_CLOSED', 'A database in memory is gone with its owner. Connect to a new one.')
}

function parseConnectOptions(options: unknown): {
  readonly script: string | URL | undefined
  readonly timeoutMs: number
  readonly parsed: ParsedOptions
} {
  const parsed = parseOpenOptions(options, 'connect', connectNames)
  const { worker, ownerTimeoutMs = 10_000 } = checkKnown(options, connectNames, 'connect')
  if (worker !== undefined && typeof worker !== 'string' && !(worker instanceof URL)) {
    throw invalidArgument(`connect, option worker: pass the URL of a script; got ${describe(worker)}.`)
  }
  const timeoutMs = checkInteger(ownerTimeoutMs, 1, longestTimerMs, 'connect, option ownerTimeoutMs')
  return { script: worker, timeoutMs, parsed }
}
