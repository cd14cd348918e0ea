// The text functions of Node's `Buffer`, which Deno and Bun have too. They are not documented, so they are used only if a
// test at loading shows that they do what is relied on here.

import { nodeBuffer } from './node-buffer.ts'

/** UTF-8 straight from and to a range of any `Uint8Array`, without a view in between. */
export interface NodeText {
  /** The text of the bytes from `start` to `end`: U+FFFD for what is ill-formed, a byte order mark kept. */
  read(source: Uint8Array, start: number, end: number): string
  /** Writes the text at `at` and returns the number of bytes; `room` must be enough. U+FFFD for lone surrogates. */
  write(text: string, target: Uint8Array, at: number, room: number): number
}

type Utf8Slice = (this: Uint8Array, start: number, end: number) => string
type Utf8Write = (this: Uint8Array, text: string, at: number, room: number) => number

/** Node's text functions, or undefined where there are none that can be trusted. */
export const nodeText: NodeText | undefined = findText()

function findText(): NodeText | undefined {
  if (nodeBuffer === undefined) return undefined
  const prototype: unknown = Reflect.get(nodeBuffer, 'prototype')
  if (typeof prototype !== 'object' || prototype === null) return undefined
  const slice: unknown = Reflect.get(prototype, 'utf8Slice')
  const write: unknown = Reflect.get(prototype, 'utf8Write')
  if (!isSlice(slice) || !isWrite(write)) return undefined
  const found: NodeText = {
    read: (source, start, end) => slice.call(source, start, end),
    write: (text, target, at, room) => write.call(target, text, at, room)
  }
  return readsRight(found) && writesRight(found) ? found : undefined
}

function readsRight(text: NodeText): boolean {
  // A letter, a byte order mark, "é", an encoded surrogate, an overlong "/", a lone continuation byte, a letter.
  const sample = Uint8Array.of(0x61, 0xef, 0xbb, 0xbf, 0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0x80, 0x62)
  try {
    return (
      text.read(sample, 0, 1) === 'a' &&
      text.read(sample, 1, 6) === '\ufeff\u00e9' &&
      text.read(sample, 6, 9).includes('\ufffd') &&
      text.read(sample, 9, 11).includes('\ufffd') &&
      text.read(sample, 11, 13) === '\ufffdb' &&
      text.read(sample, 12, 12) === ''
    )
  } catch {
    return false
  }
}

function writesRight(text: NodeText): boolean {
  const expected = [0, 0x61, 0xef, 0xbb, 0xbf, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd, 0, 0]
  const target = new Uint8Array(expected.length)
  try {
    return text.write('a\ufeff\u00e9\u{1f600}\ud800', target, 1, 14) === 13 && String(target) === String(expected)
  } catch {
    return false
  }
}

function isSlice(found: unknown): found is Utf8Slice {
  return typeof found === 'function'
}

function isWrite(found: unknown): found is Utf8Write {
  return typeof found === 'function'
}
