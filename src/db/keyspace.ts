import { checkKnown } from '../encoding/arguments.ts'
import { pathOf } from '../engine/keyspace-path.ts'
import type { Engine, Tree } from '../engine/engine.ts'
import { parseOperations } from './batch.ts'
import { checkName, encodingNames, encodingsOf, sublevelsNames } from './call-options.ts'
import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import { parseRange, rangeAndEncodingNames } from './range.ts'
import { LocalReads } from './reads.ts'
import type { Place } from './session.ts'
import type { BatchOperation, ClearOptions, Keyspace, SnapshotHandle, Sublevel } from './types.ts'

const none = {}

/**
 * A keyspace on an engine in this thread: the database's own, or a sublevel. Every write has three forms: a private one
 * that only applies it, and two public ones around that, which return the engine's promise or sync before they return.
 */
export class LocalKeyspace<K, V, DK, DV> extends LocalReads<K, V> implements Keyspace<K, V, DK, DV> {
  readonly #engine: Engine
  readonly #tree: Tree

  constructor(place: Place) {
    super(place, undefined)
    this.#engine = place.session.engine
    this.#tree = place.tree
    place.session.addKeyspace(this, place)
  }

  get path(): readonly string[] {
    return this.place.path
  }

  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  put(key: unknown, value: unknown, options?: unknown): Promise<void> {
    // Not an async function, here and below: all writes of a commit group share the engine's one promise.
    try {
      this.#put(key, value, options, 'put', true)
      return this.#engine.settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  putSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): void
  putSync(key: unknown, value: unknown, options?: unknown): void {
    this.#put(key, value, options, 'putSync', false)
    this.#engine.settleSync()
  }

  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  del(key: unknown, options?: unknown): Promise<void> {
    try {
      this.#del(key, options, 'del')
      return this.#engine.settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  delSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): void
  delSync(key: unknown, options?: unknown): void {
    this.#del(key, options, 'delSync')
    this.#engine.settleSync()
  }

  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  batch(operations: unknown, options?: unknown): Promise<void> {
    try {
      this.#batch(operations, options, 'batch')
      return this.#engine.settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  batchSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): void
  batchSync(operations: unknown, options?: unknown): void {
    this.#batch(operations, options, 'batchSync')
    this.#engine.settleSync()
  }

  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): Promise<void>
  clear(range?: unknown): Promise<void> {
    try {
      this.#clear(range, 'clear')
      return this.#engine.settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  clearSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): void
  clearSync(range?: unknown): void {
    this.#clear(range, 'clearSync')
    this.#engine.settleSync()
  }

  sublevel<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    name: string,
    options?: EncodingOptions<KE, VE>
  ): Sublevel<KeyIn<DK, KE>, ValueIn<DV, VE>, DK, DV>
  sublevel<SK, SV = unknown>(name: string, options?: EncodingOptions): Sublevel<SK, SV, DK, DV>
  sublevel(name: unknown, options?: unknown): Sublevel<unknown, unknown, DK, DV> {
    const { session, defaults } = this.place
    const given = checkKnown(options, encodingNames, 'sublevel')
    const checked = checkName(name, 'sublevel')
    const path = Object.freeze([...this.path, checked])
    return new LocalSublevel<unknown, unknown, DK, DV>({
      session,
      path,
      defaults,
      tree: this.#engine.tree(pathOf(this.#tree.path, checked)),
      ...encodingsOf({ session, ...defaults }, given, none, 'sublevel'),
      cached: session.cache?.keyspace(path)
    })
  }

  sublevels(options?: { readonly snapshot?: SnapshotHandle | undefined }): string[]
  sublevels(options?: unknown): string[] {
    const { snapshot } = checkKnown(options, sublevelsNames, 'sublevels')
    const at = snapshot === undefined ? undefined : this.place.session.snapshotOf(snapshot, 'sublevels')
    return this.#engine.names(this.#tree.path, at)
  }

  dropSublevel(name: string): Promise<void>
  dropSublevel(name: unknown): Promise<void> {
    try {
      this.#drop(name, 'dropSublevel')
      return this.#engine.settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  dropSublevelSync(name: string): void
  dropSublevelSync(name: unknown): void {
    this.#drop(name, 'dropSublevelSync')
    this.#engine.settleSync()
  }

  #put(key: unknown, value: unknown, options: unknown, where: string, isTogether: boolean): void {
    let { keyEncoding, valueEncoding } = this.place
    if (options !== undefined) {
      const given = checkKnown(options, encodingNames, where)
      ;({ keyEncoding, valueEncoding } = encodingsOf(this.place, given, none, where))
    }
    if (isTogether) this.#engine.putTogether(this.#tree, key, keyEncoding, value, valueEncoding)
    else this.#engine.put(this.#tree, key, keyEncoding, value, valueEncoding)
    this.place.cached?.forget(key, keyEncoding)
  }

  #del(key: unknown, options: unknown, where: string): void {
    let { keyEncoding } = this.place
    if (options !== undefined) {
      const given = checkKnown(options, encodingNames, where)
      keyEncoding = encodingsOf(this.place, given, none, where).keyEncoding
    }
    this.#engine.del(this.#tree, key, keyEncoding)
    this.place.cached?.forget(key, keyEncoding)
  }

  #batch(operations: unknown, options: unknown, where: string): void {
    const given = checkKnown(options, encodingNames, where)
    const parsed = parseOperations(operations, this.place, given, where)
    this.#engine.batch(parsed)
    if (this.place.cached === undefined) return
    for (const { cached, key, keyEncoding } of parsed) cached?.forget(key, keyEncoding)
  }

  #clear(range: unknown, where: string): void {
    const given = checkKnown(range, rangeAndEncodingNames, where)
    const { keyEncoding } = encodingsOf(this.place, given, none, where)
    this.#engine.clear(this.#tree, parseRange(range, keyEncoding, rangeAndEncodingNames, where))
    this.place.cached?.forgetAll()
  }

  #drop(name: unknown, where: string): void {
    this.#engine.drop(pathOf(this.#tree.path, checkName(name, where)))
    // Sublevels inside the dropped one go, too, so the whole cache is cleared.
    this.place.session.cache?.clear()
  }
}

/** A keyspace below the root. */
export class LocalSublevel<K, V, DK, DV> extends LocalKeyspace<K, V, DK, DV> implements Sublevel<K, V, DK, DV> {
  get name(): string {
    return this.path.at(-1) ?? ''
  }
}
