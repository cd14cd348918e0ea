import { nodeBuffer } from './node-buffer.ts'

/** A function of bytes that gives those from `start` to `end` as characters of the same numbers. */
export type Slice = (this: Uint8Array, start: number, end: number) => string

/** Node's own, which Deno and Bun have too; used only if a test shows that it does what is relied on here. */
export const latin1Slice: Slice | undefined = findSlice()

function findSlice(): Slice | undefined {
  if (nodeBuffer === undefined) return undefined
  const prototype: unknown = Reflect.get(nodeBuffer, 'prototype')
  if (typeof prototype !== 'object' || prototype === null) return undefined
  const slice: unknown = Reflect.get(prototype, 'latin1Slice')
  if (!isSlice(slice)) return undefined
  try {
    const sample = Uint8Array.of(0x61, 0, 0x7f, 0x80, 0xff, 0x62)
    return slice.call(sample, 1, 5) === '\0\x7f\x80\xff' && slice.call(sample, 2, 2) === '' ? slice : undefined
  } catch {
    return undefined
  }
}

function isSlice(found: unknown): found is Slice {
  return typeof found === 'function'
}
