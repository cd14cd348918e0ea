// Paths of sublevels: the names from the outermost on, each escaped and terminated, so that a sublevel's path begins
// with its parent's. 0x00 inside a name becomes 0x00 0xff, and 0x00 0x01 ends it.
import { MAX_KEY_BYTES } from '../../assembly/state.ts'
import { encodeText } from '../encoding/text.ts'
import { invalidArgument } from '../encoding/failure.ts'

/** The path of the sublevel `name` below `parent` (empty: the database). Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function pathOf(parent: Uint8Array, name: string): Uint8Array {
  if (typeof name !== 'string' || name === '') {
    throw invalidArgument('A sublevel needs a name: pass a string that is not empty.')
  }
  const bytes: number[] = [...parent]
  for (const byte of encodeText(name)) {
    bytes.push(byte)
    if (byte === 0) bytes.push(0xff)
  }
  bytes.push(0, 1)
  if (bytes.length <= MAX_KEY_BYTES) return Uint8Array.from(bytes)
  throw invalidArgument(
    `The names of nested sublevels may have ${MAX_KEY_BYTES} bytes together, these have ${bytes.length}. Use shorter names.`
  )
}

/** The name directly below a path of `parentBytes` bytes in a longer path. */
export function nameBelow(path: Uint8Array, parentBytes: number): string {
  const bytes: number[] = []
  let at = parentBytes
  while (at < path.length) {
    const byte = path[at] ?? 0
    if (byte === 0 && path[at + 1] === 1) break
    bytes.push(byte)
    at += byte === 0 ? 2 : 1
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
}

/** The names that a path in the catalog is made of, from the outermost on. */
export function namesOf(path: Uint8Array): string[] {
  const names: string[] = []
  let start = 0
  for (let at = 0; at + 1 < path.length; at++) {
    if (path[at] !== 0) continue
    if (path[at + 1] === 1) {
      names.push(nameBelow(path, start))
      start = at + 2
    }
    at++
  }
  return names
}
