// What callers hand over to other threads is theirs: nothing that a client still needs goes with it.
import { describe, expect, it } from 'vitest'
import { ownerHere } from './pair.ts'

/** Hands the buffer of some bytes over to nobody. */
function handOver({ buffer }: Uint8Array): void {
  structuredClone(buffer, { transfer: [buffer] })
}

async function clientOfBytes() {
  const here = await ownerHere()
  const client = await here.client()
  const bytes = client.sublevel<string, Uint8Array>('bytes', { valueEncoding: 'view' })
  for (let i = 0; i < 10; i++) await bytes.put(`key ${i}`, Uint8Array.of(i, i))
  return { here, bytes }
}

function bytesOf(value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw new Error('there is no value')
  return value
}

describe('when the buffer of a value is handed over', () => {
  it.each([0, 1, 5])('an iterator that has delivered %i rows delivers the others', async delivered => {
    const { bytes } = await clientOfBytes()
    const value = bytes.get('key 3')
    const rows = bytes.entries()
    const first = rows.next()
    const seen: [string, number | undefined][] = []
    const note = (row: IteratorResult<[string, Uint8Array], undefined>): void => {
      if (row.done !== true) seen.push([row.value[0], row.value[1][0]])
    }
    if (delivered === 0) handOver(bytesOf(await value))
    note(await first)
    for (let i = 1; i < delivered; i++) note(await rows.next())
    handOver(bytesOf(await bytes.get('key 4')))
    if (delivered > 0) handOver(bytesOf(await value))
    for await (const row of rows) note({ value: row })
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => [`key ${i}`, i]))
  })

  it('empty values can still be read', async () => {
    const { bytes } = await clientOfBytes()
    await bytes.put('empty', new Uint8Array(0))
    for (let i = 0; i < 3; i++) {
      const value = bytesOf(await bytes.get('empty'))
      expect(value).toHaveLength(0)
      handOver(value)
    }
  })
})
