// A client's keyspaces: its database's own, and sublevels.

import { parseOperations } from '../db/batch.ts'
import { checkName, encodingNames, encodingsOf, type Encodings, sublevelsNames } from '../db/call-options.ts'
import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from '../db/encoding-types.ts'
import { parseRange, rangeAndEncodingNames } from '../db/range.ts'
import type { BatchOperation, ClearOptions } from '../db/types.ts'
import { checkKnown } from '../encoding/arguments.ts'
import { inOperation } from '../encoding/failure.ts'
import { pathOf } from '../engine/keyspace-path.ts'
import { LightningError } from '../errors.ts'
import { RemoteReads } from './client-reads.ts'
import type { ClientPlace } from './client-session.ts'
import { malformed } from './messages.ts'
import { ask, type Scope } from './scope.ts'
import type { ClientKeyspace, ClientSnapshotHandle, ClientSublevel, Unavailable } from './types.ts'
import { operation, rangeField } from './wire.ts'

const none = {}

/** Writes of one keyspace, directly or inside a transaction. */
export class RemoteWrites<K, V> extends RemoteReads<K, V> {
  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  put(key: unknown, value: unknown, options?: unknown): Promise<void> {
    return this.#write(operation.put, () => {
      const { keyEncoding, valueEncoding } = this.#encodings(options, 'put')
      const { fields } = this.place.session
      return [this.place.tree.path, fields.encode(keyEncoding, key), fields.encode(valueEncoding, value)]
    })
  }

  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  del(key: unknown, options?: unknown): Promise<void> {
    return this.#write(operation.del, () => {
      const { keyEncoding } = this.#encodings(options, 'del')
      return [this.place.tree.path, this.place.session.fields.encode(keyEncoding, key)]
    })
  }

  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  batch(operations: unknown, options?: unknown): Promise<void> {
    return this.#write(operation.batch, () => {
      const given = checkKnown(options, encodingNames, 'batch')
      const { fields } = this.place.session
      const parsed = parseOperations(operations, this.place, given, 'batch')
      return [
        parsed.map((each, i) => {
          try {
            const key = fields.encode(each.keyEncoding, each.key)
            return each.type === 'put'
              ? [each.tree.path, key, fields.encode(each.valueEncoding, each.value)]
              : [each.tree.path, key, undefined]
          } catch (error) {
            throw inOperation(error, i)
          }
        })
      ]
    })
  }

  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): Promise<void>
  clear(range?: unknown): Promise<void> {
    return this.#write(operation.clear, () => {
      const { keyEncoding } = encodingsOf(this.place, checkKnown(range, rangeAndEncodingNames, 'clear'), none, 'clear')
      return [this.place.tree.path, rangeField(parseRange(range, keyEncoding, rangeAndEncodingNames, 'clear'))]
    })
  }

  #write(name: number, fields: () => readonly unknown[]): Promise<void> {
    return ask(this.scope, name, 'unknown', () => this.#checked(fields), nothing)
  }

  #checked(fields: () => readonly unknown[]): readonly unknown[] {
    this.scope.check()
    this.checkWritable()
    return [this.scope.at, ...fields()]
  }

  /** Is called before every write. Throws unless this client may write something now. */
  protected checkWritable(): void {
    this.place.session.checkWritable()
  }

  #encodings(options: unknown, where: string): Encodings {
    if (options === undefined) return this.place
    return encodingsOf(this.place, checkKnown(options, encodingNames, where), none, where)
  }
}

/** A keyspace of a client. */
export class RemoteKeyspace<K, V, DK, DV> extends RemoteWrites<K, V> implements ClientKeyspace<K, V, DK, DV> {
  readonly putSync = unavailable('put')
  readonly delSync = unavailable('del')
  readonly batchSync = unavailable('batch')
  readonly clearSync = unavailable('clear')
  readonly dropSublevelSync = unavailable('dropSublevel')

  constructor(place: ClientPlace) {
    super(place, place.session.newest, undefined)
    place.session.addKeyspace(this, place)
  }

  get path(): readonly string[] {
    return this.place.path
  }

  sublevel<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    name: string,
    options?: EncodingOptions<KE, VE>
  ): ClientSublevel<KeyIn<DK, KE>, ValueIn<DV, VE>, DK, DV>
  sublevel<SK, SV = unknown>(name: string, options?: EncodingOptions): ClientSublevel<SK, SV, DK, DV>
  sublevel(name: unknown, options?: unknown): ClientSublevel<unknown, unknown, DK, DV> {
    const { session, defaults } = this.place
    const given = checkKnown(options, encodingNames, 'sublevel')
    const checked = checkName(name, 'sublevel')
    return new RemoteSublevel<unknown, unknown, DK, DV>({
      session,
      defaults,
      path: Object.freeze([...this.path, checked]),
      tree: treeAt(pathOf(this.place.tree.path, checked)),
      ...encodingsOf({ session, ...defaults }, given, none, 'sublevel'),
      cached: undefined
    })
  }

  sublevels(options?: { readonly snapshot?: ClientSnapshotHandle | undefined }): Promise<string[]>
  async sublevels(options?: unknown): Promise<string[]> {
    const { session, tree } = this.place
    const { snapshot } = checkKnown(options, sublevelsNames, 'sublevels')
    const scope: Scope = snapshot === undefined ? this.scope : session.snapshotOf(snapshot, 'sublevels')
    return await ask(scope, operation.names, 'repeat', () => [scope.at, tree.path], namesOf)
  }

  dropSublevel(name: string): Promise<void>
  dropSublevel(name: unknown): Promise<void> {
    const { session, tree } = this.place
    const prepare = () => {
      session.checkWritable()
      return [pathOf(tree.path, checkName(name, 'dropSublevel'))]
    }
    return ask(this.scope, operation.drop, 'unknown', prepare, nothing)
  }
}

/** A keyspace below the root. */
export class RemoteSublevel<K, V, DK, DV> extends RemoteKeyspace<K, V, DK, DV> implements ClientSublevel<K, V, DK, DV> {
  get name(): string {
    return this.path.at(-1) ?? ''
  }
}

/** A keyspace by its path, as the database layer names it. */
export function treeAt(path: Uint8Array): ClientPlace['tree'] {
  return { path, name: String.fromCharCode(...path) }
}

/** The form of a method that does not wait, which needs the engine in this thread; `name` is the one to use. */
export function unavailable(name: string): Unavailable {
  return () => {
    throw new LightningError(
      'LIGHTNING_UNAVAILABLE',
      `${name}Sync: the engine runs in another thread. Use ${name}(), or open() in place of connect().`
    )
  }
}

export function nothing(): void {}

function namesOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw malformed('names are not a list')
  return value.map(String)
}
