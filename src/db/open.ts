import { openIn } from './database.ts'
import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import { type OpenOptions, parseOpenOptions } from './options.ts'
import { vfsAt } from './place.ts'
import type { Database } from './types.ts'

/**
 * Opens the database in the directory `location`, or an empty one in memory (`':memory:'`). The engine runs in this
 * thread, so reads are synchronous. The types of keys and values follow from the encodings, or are given:
 * `open<string, User>('./users')`.
 *
 * Rejects with `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_NOT_FOUND` (with `createIfMissing: false` or `readOnly`),
 * `LIGHTNING_EXISTS` (with `errorIfExists`), `LIGHTNING_LOCKED`, `LIGHTNING_CORRUPT`, `LIGHTNING_VERSION`,
 * `LIGHTNING_DISK_FULL`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`, `LIGHTNING_OUT_OF_MEMORY`, and
 * in browsers with `LIGHTNING_UNAVAILABLE`.
 */
export function open(location: string, options?: OpenOptions<undefined, undefined>): Promise<Database<string, unknown>>
/** The same, with the types of keys and values that follow from the encodings. */
export function open<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
  location: string,
  options?: OpenOptions<KE, VE>
): Promise<Database<KeyIn<string, KE>, ValueIn<unknown, VE>>>
/** The same, with the types of keys and values given. */
export function open<K, V = unknown>(location: string, options?: OpenOptions): Promise<Database<K, V>>
export async function open(location: unknown, options?: unknown): Promise<Database<unknown, unknown>> {
  const parsed = parseOpenOptions(options)
  return await openIn<unknown, unknown>(await vfsAt(location, 'open'), parsed)
}
