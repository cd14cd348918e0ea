import { describe, expect, it } from 'vitest'
import { RecentWrites } from '../../src/txn/recent-writes.ts'
import { Random } from '../support/random.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A recorder whose oldest reader is `oldest()`, and a list of all that it was told. */
function recorder(oldest: () => number, limit?: number) {
  const recent = new RecentWrites(() => undefined, oldest, limit)
  const told: { readonly key: string; readonly lsn: number }[] = []
  return {
    recent,
    told,
    write: (key: string, lsn: number, tree = 1) => {
      recent.key(tree, lsn, bytes(`--${key}-`), 2, 2 + key.length)
      if (tree === 1) told.push({ key, lsn })
    }
  }
}

describe('the recent writes', () => {
  it('know what changed since, keyspace by keyspace', () => {
    const { recent, write } = recorder(() => 0)
    write('a', 5)
    write('b', 6, 2)
    write('a', 9)
    recent.range(1, 7, bytes('m'), bytes('p'))
    recent.range(2, 8, bytes('x'), undefined)
    recent.dropped(bytes('sub'), 7)
    expect([recent.isChanged(1, 'a', 8), recent.isChanged(1, 'a', 9)]).toEqual([true, false])
    expect([recent.isChanged(1, 'b', 0), recent.isChanged(2, 'b', 5), recent.isChanged(3, 'b', 0)]).toEqual([
      false,
      true,
      false
    ])
    expect([recent.isChanged(1, 'o', 6), recent.isChanged(1, 'o', 7), recent.isChanged(1, 'p', 0)]).toEqual([
      true,
      false,
      false
    ])
    expect([recent.isChanged(2, 'zz', 7), recent.isChanged(2, 'w', 0)]).toEqual([true, false])
    expect([recent.isDropped('sub', 6), recent.isDropped('sub', 7), recent.isDropped('other', 0)]).toEqual([
      true,
      false,
      false
    ])
    expect(recent.changeIn(1, [{ from: 'a', to: 'b' }], 5)).toBe('a')
    expect(recent.changeIn(1, [{ from: 'a\0', to: 'b' }], 0)).toBeUndefined()
    expect(recent.changeIn(1, [{ from: 'o', to: undefined }], 6)).toBe('m')
    expect(recent.changeIn(1, [{ from: 'a', to: undefined }], 9)).toBeUndefined()
    recent.forget()
    expect([recent.isChanged(1, 'a', 0), recent.isDropped('sub', 0), recent.size]).toEqual([false, false, 0])
  })

  it('are told of before each change', () => {
    let count = 0
    const recent = new RecentWrites(
      () => count++,
      () => 0
    )
    recent.key(1, 1, bytes('a'), 0, 1)
    recent.range(1, 2, bytes('a'), undefined)
    recent.dropped(bytes('a'), 3)
    expect(count).toBe(3)
  })

  it('forget what is older than every reader', () => {
    let oldest = 0
    const { recent, write } = recorder(() => oldest)
    for (let lsn = 1; lsn <= 20_000; lsn++) {
      oldest = lsn - 100
      write(`k${lsn}`, lsn)
    }
    expect(recent.size).toBeLessThan(10_000)
    expect([recent.isChanged(1, 'k19950', 19_900), recent.isChanged(1, 'k5', 0)]).toEqual([true, false])
  })

  it('stay small when one key is written again and again', () => {
    const { recent, write } = recorder(() => 0)
    for (let lsn = 1; lsn <= 50_000; lsn++) write('counter', lsn)
    expect(recent.size).toBe(1)
    expect([recent.isChanged(1, 'counter', 49_999), recent.isChanged(1, 'counter', 50_000)]).toEqual([true, false])
  })

  it('become coarse when there are too many, and miss nothing', () => {
    const random = new Random(11)
    const { recent, told, write } = recorder(() => 0, 8_000)
    for (let lsn = 1; lsn <= 60_000; lsn++) write(String(random.below(1_000_000)).padStart(7, '0'), lsn)
    expect(recent.size).toBeLessThan(30_000)
    for (let i = 0; i < 2_000; i++) {
      const { key, lsn } = told[random.below(told.length)] ?? { key: '', lsn: 0 }
      expect(recent.isChanged(1, key, lsn - 1)).toBe(true)
      expect(recent.changeIn(1, [{ from: key, to: `${key}\0` }], lsn - 1)).toBeDefined()
    }
    // And are not so coarse as to report everything.
    const newest = told.slice(-1_000).map(({ key }) => key)
    const others = Array.from({ length: 500 }, () => String(random.below(1_000_000)).padStart(7, '0'))
    const reported = others.filter(key => !newest.includes(key) && recent.isChanged(1, key, 59_000))
    expect(reported.length).toBeLessThan(50)
  })
})
