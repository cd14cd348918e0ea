import { expect, it } from 'vitest'
import type { Cursor } from '../../src/engine/engine.ts'
import { mostBatchBytes, RowReader, RowSource } from '../../src/host/rows.ts'

/** A cursor over rows with the key "k" and values of these lengths. */
function cursorOver(lengths: readonly number[]): Cursor {
  let isLoaded = false
  return {
    bytes: new Uint8Array(1 + Math.max(...lengths)).fill(0x6b),
    isKept: false,
    isHolding: false,
    isLarge: false,
    keyStart: 0,
    keyEnd: 1,
    valueStart: 1,
    valueEnd: 1,
    fill() {
      if (isLoaded) return 0
      isLoaded = true
      return lengths.length
    },
    row(i) {
      this.valueEnd = 1 + (lengths[i] ?? 0)
    },
    large: () => new Uint8Array(0),
    close: () => undefined
  }
}

it('a batch behind a large row takes no more memory than others', () => {
  const large = 40 * mostBatchBytes
  const rows = new RowSource(cursorOver([large, 100, 100]), false)
  const lengths: number[] = []
  while (!rows.isDone) {
    const batch = rows.take(2)
    const reader = new RowReader(batch)
    while (reader.next()) lengths.push(reader.valueEnd - reader.keyEnd)
    if (lengths.length > 1) expect(batch.buffer.byteLength).toBeLessThan(2 * mostBatchBytes)
  }
  expect(lengths).toEqual([large, 100, 100])
})
