import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { PendingRequests } from '../../src/host/pending-requests.ts'

interface Named {
  readonly name: string
}

const named = (id: number): Named => ({ name: `request ${id}` })

describe('pending requests', () => {
  it('are found by their ids until they are taken, once', () => {
    const pending = new PendingRequests<Named>()
    pending.add(1, named(1))
    pending.add(2, named(2))
    expect(pending.size).toBe(2)
    expect(pending.find(1)?.name).toBe('request 1')
    expect(pending.take(1)?.name).toBe('request 1')
    expect(pending.take(1)).toBeUndefined()
    expect(pending.find(1)).toBeUndefined()
    expect(pending.find(0)).toBeUndefined()
    expect(pending.find(258)).toBeUndefined()
    expect(pending.size).toBe(1)
  })

  it('stay when any number of later ones end before them', () => {
    const pending = new PendingRequests<Named>()
    for (const id of [1, 2, 300]) pending.add(id, named(id))
    for (let id = 1_000; id < 100_000; id++) {
      pending.add(id, named(id))
      pending.take(id)
    }
    expect(pending.size).toBe(3)
    expect(pending.find(2)?.name).toBe('request 2')
    expect(pending.take(300)?.name).toBe('request 300')
    expect(pending.takeAll().map(({ name }) => name)).toEqual(['request 1', 'request 2'])
  })

  it('may be more than there are slots, with ids beyond 32 bits, and come back in the order of the ids', () => {
    const pending = new PendingRequests<Named>()
    const first = 2 ** 32 - 50_000
    const expected: string[] = []
    for (let id = first; id < first + 200_000; id++) {
      pending.add(id, named(id))
      if (id % 7 === 0) pending.take(id)
      else expected.push(`request ${id}`)
    }
    expect(pending.size).toBe(expected.length)
    for (let id = first; id < first + 200_000; id += 1_001) {
      expect(pending.find(id)?.name).toBe(id % 7 === 0 ? undefined : `request ${id}`)
    }
    expect(pending.takeAll().map(({ name }) => name)).toEqual(expected)
    expect(pending.size).toBe(0)
    expect(pending.takeAll()).toEqual([])
  })

  it('leave nothing behind for the collector of old objects', () => {
    setFlagsFromString('--expose-gc')
    const collect: (options: { type: 'minor' }) => void = runInNewContext('gc')
    const oldBytes = (): number =>
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN
    const pending = new PendingRequests<{ readonly payload: readonly number[] }>()
    // Copied by a built-in function: arrays from a place in the code that makes long-lived ones would be old at once.
    const numbers = new Set(Array.from({ length: 100 }, (_, i) => i))
    let id = 0
    const add = (): void => pending.add(++id, { payload: Array.from(numbers) })
    const takeSince = (first: number): void => {
      for (let each = first; each <= id; each++) pending.take(each)
    }
    for (let i = 0; i < 500; i++) pending.add(++id, { payload: [] })
    // Whatever the first ones are kept in grows old with them.
    for (let i = 0; i < 3; i++) collect({ type: 'minor' })
    takeSince(1)
    const before = oldBytes()
    let most = 0
    for (let round = 0; round < 50; round++) {
      const first = id + 1
      for (let i = 0; i < 1_000; i++) add()
      takeSince(first)
      collect({ type: 'minor' })
      most = Math.max(most, oldBytes() - before)
    }
    // With a Map it is more than 30 MB.
    expect(most).toBeLessThan(5_000_000)
  })
})
