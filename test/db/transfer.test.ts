// Values of one iterator share a buffer where that saves a copy. Whoever transfers it is told what went with it.
import { expect, it } from 'vitest'
import { inMemory, openNew, rejection } from '../support/database.ts'

it.each(['view', 'buffer'] as const)('an iterator whose rows were transferred as %s is closed', async valueEncoding => {
  const db = await openNew(inMemory, { valueEncoding })
  const keys = Array.from({ length: 40 }, (_, i) => `k${i + 100}`)
  await db.batch(keys.map(key => ({ type: 'put', key, value: new Uint8Array(1_000).fill(7) })))
  const tx = await db.begin()
  await tx.put('k', new Uint8Array(1))
  for (const entries of [db.entries(), tx.entries(), tx.entries({ gt: 'k' })]) {
    let last = entries.next()
    if (last.value?.[0] === 'k') last = entries.next()
    const { buffer } = last.value?.[1] ?? new Uint8Array(0)
    structuredClone(buffer, { transfer: [buffer] })
    await rejection('LIGHTNING_CLOSED', (async () => entries.next())())
    expect(entries.next()).toEqual({ done: true, value: undefined })
  }
  expect([...db.keys()]).toEqual(keys)
  await tx.rollback()
})
