import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { Tree } from './tree.ts'

/** One operation of a batch. */
export type EngineOperation = KeyOperation | ClearOperation | NamingOperation

/** Stores or deletes one key. */
export type KeyOperation =
  | {
      readonly type: 'put'
      readonly tree: Tree
      readonly key: unknown
      readonly keyEncoding: KeyEncoding<unknown>
      readonly value: unknown
      readonly valueEncoding: ValueEncoding<unknown>
    }
  | { readonly type: 'del'; readonly tree: Tree; readonly key: unknown; readonly keyEncoding: KeyEncoding<unknown> }

/** Stores a large value that `Engine.writeValue` has written. */
export interface NamingOperation {
  readonly type: 'name'
  readonly tree: Tree
  readonly key: unknown
  readonly keyEncoding: KeyEncoding<unknown>
  readonly description: Uint8Array
}

/** Deletes the keys in [lower, upper); `upper` undefined: all from `lower` on. */
export interface ClearOperation {
  readonly type: 'clear'
  readonly tree: Tree
  readonly lower: Uint8Array
  readonly upper: Uint8Array | undefined
}
