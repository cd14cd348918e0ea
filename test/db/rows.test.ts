import { describe, expect, it } from 'vitest'
import { inMemory } from '../support/database.ts'
import { openNew } from '../support/either.ts'
import { RowsPlay } from './rows/play.ts'

describe.each([
  ['a database', false],
  ['a client', true]
])('many iterators of %s at once', (_, isRemote) => {
  it.each([1, 2, 3])('give rows that are right, and stay so: seed %i', async seed => {
    const db = await openNew({ ...inMemory, isRemote }, { valueCache: seed === 3 ? 1_000_000 : 0 })
    const counts = await new RowsPlay(db, isRemote, seed).play(600)
    expect(counts.rows).toBeGreaterThan(5_000)
    expect(counts.commits).toBeGreaterThan(2)
    expect(counts.meddled).toBeGreaterThan(0)
  })
})
