import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { Tree } from './tree.ts'

/** One operation of a batch. */
export type EngineOperation =
  | {
      readonly type: 'put'
      readonly tree: Tree
      readonly key: unknown
      readonly keyEncoding: KeyEncoding<unknown>
      readonly value: unknown
      readonly valueEncoding: ValueEncoding<unknown>
    }
  | { readonly type: 'del'; readonly tree: Tree; readonly key: unknown; readonly keyEncoding: KeyEncoding<unknown> }
