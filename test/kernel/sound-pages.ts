// Pages written by their documented layout: sound in themselves, and whatever else a test wants them to be.
import { expect } from 'vitest'
import { main, type Pager } from './pager.ts'

/** A leaf's entry, or a branch's key and the page that holds what lies from there on. */
export type Entry = readonly [key: string, content: string | number]

/** Writes a sound page of the main tree in place of what stands in the frame of page `id`; its keys begin with `prefix`. */
export function writePage(
  pager: Pager,
  id: number,
  level: number,
  first: number,
  entries: readonly Entry[],
  prefix = ''
): void {
  const bytes = Buffer.alloc(pager.pageBytes)
  const slots = (64 + prefix.length + 3) & ~3
  bytes.writeUInt32LE(id, 0)
  bytes.writeUInt8(level === 0 ? 1 : 2, 4)
  bytes.writeUInt8(level, 5)
  bytes.writeUInt16LE(entries.length, 6)
  bytes.writeUInt16LE(prefix.length, 8)
  bytes.writeUInt32LE(first, 20)
  bytes.writeUInt32LE(main.tree, 24)
  bytes.write(prefix, 64, 'latin1')
  let heap = pager.pageBytes
  for (const [i, [key, content]] of entries.entries()) {
    const suffix = key.slice(prefix.length)
    const [word, value] = typeof content === 'string' ? [content.length, content] : [content, '']
    heap -= 4 + suffix.length + value.length
    bytes.writeUInt32LE(word, heap)
    bytes.write(suffix + value, heap + 4, 'latin1')
    // The head is a number, most significant byte first.
    bytes.write(suffix.slice(0, 4).padEnd(4, '\0').split('').reverse().join(''), slots + i * 8, 'latin1')
    bytes.writeUInt16LE(heap, slots + i * 8 + 4)
    bytes.writeUInt16LE(suffix.length, slots + i * 8 + 6)
  }
  bytes.writeUInt32LE(heap, 12)
  const frame = pager.frame(id)
  pager.bytes.set(bytes.subarray(0, 32), frame)
  pager.bytes.set(bytes.subarray(64), frame + 64)
  expect(pager.kernel.exports.isSound(frame, id)).toBeTruthy()
}
