// A database as tests see it that run on both: `open` gives one in this thread, `connect` one in another. Everything is
// awaited; what comes at once on `open` is a promise on `connect`.
import { expect } from 'vitest'
import {
  type AwaitedWrites,
  type BatchOperation,
  type BeginOptions,
  type Care,
  type ClientIterator,
  type ClearOptions,
  connect,
  type ConnectOptions,
  type EncodingOptions,
  type EngineStats,
  type ForUpdateOptions,
  isLightningError,
  type Isolation,
  type KeyEncodingChoice,
  type KeyIn,
  type LightningError,
  type LightningErrorCode,
  open,
  type PageMap,
  type RangeIterator,
  type RangeOptions,
  type SyncTransactionOptions,
  type TransactionOptions,
  type TransactionSavepoint,
  type ValueEncodingChoice,
  type ValueIn
} from '../../src/index.ts'
import { callUnchecked, type Target, verifyAtTheEnd } from './database.ts'

type Awaitable<T> = T | Promise<T>
type AnyIterator<T> = RangeIterator<T> | ClientIterator<T>

/** A snapshot of either kind, as an option. */
export interface AnySnapshotHandle {
  readonly sequence: number
  close(): Awaitable<void>
}

interface AnyReadOptions<KE extends KeyEncodingChoice, VE extends ValueEncodingChoice> extends EncodingOptions<KE, VE> {
  readonly snapshot?: AnySnapshotHandle | undefined
}

type AnyRange<K, KE extends KeyEncodingChoice, VE extends ValueEncodingChoice> = RangeOptions<KeyIn<K, KE>> &
  AnyReadOptions<KE, VE>

type KC = KeyEncodingChoice
type VC = ValueEncodingChoice

/** Reads of either kind. */
export interface AnyReads<K, V> {
  get<KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    options?: AnyReadOptions<KE, VE>
  ): Awaitable<ValueIn<V, VE> | undefined>
  getMany<KE extends KC = undefined, VE extends VC = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: AnyReadOptions<KE, VE>
  ): Awaitable<(ValueIn<V, VE> | undefined)[]>
  has<KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    options?: AnyReadOptions<KE, VE>
  ): Awaitable<boolean>
  count<KE extends KC = undefined, VE extends VC = undefined>(range?: AnyRange<K, KE, VE>): Awaitable<number>
  entries<KE extends KC = undefined, VE extends VC = undefined>(
    range?: AnyRange<K, KE, VE>
  ): AnyIterator<[KeyIn<K, KE>, ValueIn<V, VE>]>
  keys<KE extends KC = undefined, VE extends VC = undefined>(range?: AnyRange<K, KE, VE>): AnyIterator<KeyIn<K, KE>>
  values<KE extends KC = undefined, VE extends VC = undefined>(range?: AnyRange<K, KE, VE>): AnyIterator<ValueIn<V, VE>>
}

interface ReadsBytes<K> {
  read<R, KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    callback: (bytes: Uint8Array) => R,
    options?: AnyReadOptions<KE, VE>
  ): Awaitable<R | undefined>
}

interface AnyWrites<K, V> {
  put<KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): Awaitable<void>
  del<KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): Awaitable<void>
  batch<KE extends KC = undefined, VE extends VC = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): Awaitable<void>
  clear<KE extends KC = undefined, VE extends VC = undefined>(range?: ClearOptions<K, KE, VE>): Awaitable<void>
}

/** A keyspace of either kind. */
export interface AnyKeyspace<K, V, DK = unknown, DV = unknown>
  extends AnyReads<K, V>,
    ReadsBytes<K>,
    AwaitedWrites<K, V> {
  readonly path: readonly string[]
  putSync<KE extends KC = undefined, VE extends VC = undefined>(key: KeyIn<K, KE>, value: ValueIn<V, VE>): void
  delSync<KE extends KC = undefined>(key: KeyIn<K, KE>): void
  batchSync<KE extends KC = undefined, VE extends VC = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[]
  ): void
  clearSync(): void
  dropSublevelSync(name: string): void
  sublevel<KE extends KC = undefined, VE extends VC = undefined>(
    name: string,
    options?: EncodingOptions<KE, VE>
  ): AnySublevel<KeyIn<DK, KE>, ValueIn<DV, VE>, DK, DV>
  sublevels(options?: { readonly snapshot?: AnySnapshotHandle | undefined }): Awaitable<string[]>
  dropSublevel(name: string): Promise<void>
}

/** A sublevel of either kind. */
export interface AnySublevel<K, V, DK = unknown, DV = unknown> extends AnyKeyspace<K, V, DK, DV> {
  readonly name: string
}

/** A snapshot of either kind. */
export type AnySnapshot<K, V> = BareSnapshot<K, V> & (Disposable | AsyncDisposable)

interface BareSnapshot<K, V> extends AnyReads<K, V>, ReadsBytes<K>, AnySnapshotHandle {}

/** One keyspace in a transaction of either kind. */
export interface AnyTransactionKeyspace<K, V> extends AnyReads<K, V>, AnyWrites<K, V> {
  getForUpdate<KE extends KC = undefined, VE extends VC = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
}

/** A transaction of either kind. */
export interface AnyTransaction<K, V> extends AnyTransactionKeyspace<K, V>, AsyncDisposable {
  readonly id: number
  readonly attempt: number
  readonly isolation: Isolation
  readonly isOpen: boolean
  savepoint(): TransactionSavepoint
  rollbackTo(savepoint: TransactionSavepoint): Awaitable<void>
  commit(): Promise<void>
  commitSync(): void
  rollback(): Awaitable<void>
}

/** A database of either kind. */
export interface AnyDatabase<K, V> extends AnyKeyspace<K, V, K, V>, Care, AsyncDisposable {
  snapshot(): Awaitable<AnySnapshot<K, V>>
  transaction<R>(body: (tx: AnyTransaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  transactionSync<R>(body: (tx: AnyTransaction<K, V>) => R, options?: SyncTransactionOptions): R
  begin(options?: BeginOptions): Awaitable<AnyTransaction<K, V>>
  sequence(): Awaitable<number>
  flushSync(): void
  stats(): Awaitable<EngineStats>
  pageMap(): Awaitable<PageMap>
  close(): Promise<void>
}

/** Opens a database as the target does, or connects to it; it is not closed when the test ends. */
export async function openPlain<KE extends KC = undefined, VE extends VC = undefined>(
  target: Target,
  location: string,
  options?: ConnectOptions<KE, VE>
): Promise<AnyDatabase<KeyIn<string, KE>, ValueIn<unknown, VE>>> {
  return target.isRemote === true ? await connect<KE, VE>(location, options) : await open<KE, VE>(location, options)
}

/** `openPlain` of a database that is verified and closed when the test has ended, unless the test has closed it. */
export async function openAt<KE extends KC = undefined, VE extends VC = undefined>(
  target: Target,
  location: string,
  options?: ConnectOptions<KE, VE>
): Promise<AnyDatabase<KeyIn<string, KE>, ValueIn<unknown, VE>>> {
  const db = await openPlain<KE, VE>(target, location, options)
  verifyAtTheEnd(db)
  return db
}

/** `openAt` at a new location. */
export async function openNew<KE extends KC = undefined, VE extends VC = undefined>(
  target: Target,
  options?: ConnectOptions<KE, VE>
): Promise<AnyDatabase<KeyIn<string, KE>, ValueIn<unknown, VE>>> {
  return await openAt<KE, VE>(target, await target.newLocation(), options)
}

/** A sublevel as a transaction or a snapshot sees it: their `sublevel()`, whose types differ between the kinds. */
export function within<SK, SV>(
  scope: AnyTransaction<unknown, unknown> | AnySnapshot<unknown, unknown>,
  sublevel: AnySublevel<SK, SV>
): AnyTransactionKeyspace<SK, SV> {
  const found: unknown = callUnchecked(scope, 'sublevel', sublevel)
  if (isKeyspace<SK, SV>(found)) return found
  throw new Error('sublevel() gave nothing that can be read')
}

function isKeyspace<SK, SV>(value: unknown): value is AnyTransactionKeyspace<SK, SV> {
  return typeof value === 'object' && value !== null && 'get' in value
}

/** What the end of a block with `await using` does. */
export async function end(handle: Disposable | AsyncDisposable): Promise<void> {
  if (Symbol.asyncDispose in handle) await handle[Symbol.asyncDispose]()
  else handle[Symbol.dispose]()
}

/** Everything that an iterator delivers. */
export async function all<T>(iterator: AnyIterator<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of iterator) found.push(each)
  return found
}

/** Expects that a call throws or rejects with this code, and gives the error. */
export async function refusal(code: LightningErrorCode, call: () => unknown): Promise<LightningError> {
  let result: unknown
  try {
    result = await call()
  } catch (error) {
    if (!isLightningError(error, code)) throw error
    expect(error.message).toMatch(/^.{20,}[.?]$/s)
    return error
  }
  throw new Error(`Expected ${code}, but it gave ${String(result)}`)
}
