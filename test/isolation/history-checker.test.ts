// The checker of histories, on histories that are known to be good or bad.
import { describe, expect, it } from 'vitest'
import type { AnomalyKind } from '../support/history/anomaly.ts'
import { anomaliesOf, violationsOf } from '../support/history/check.ts'
import type { RecordedTransaction } from '../support/history/history.ts'
import { written } from '../support/history/written.ts'
import { Random } from '../support/random.ts'

type Case = readonly [title: string, history: string, final: string | undefined]

const good: readonly Case[] = [
  ['nothing at all', '', undefined],
  ['one after the other', 'x+1\n x=1 x+2\n x=1,2', undefined],
  ['a reader between two writers', 'x+1 y+2\n x=1 y=2\n x+3 y+4', 'x=1,3 y=2,4'],
  ['reads of its own appends', 'x+1\n x=1 x+2 x=1,2 x+3 x=1,2,3', 'x=1,2,3'],
  ['an append that was rolled back and seen by nobody', '!x+1\n x= x+2\n x=2', 'x=2'],
  ['a stale read that can be put first', 'x= y=\n x+1\n x=1 y+2', 'x=1 y=2'],
  ['readers that agree on the order', 'x+1\n y+2\n x=1 y=\n x=1 y=2', 'x=1 y=2'],
  ['real time that is kept', '[0,1] x+1\n [2,3] x=1 x+2\n [4,5] x=1,2', 'x=1,2'],
  ['a rolled back transaction that saw nonsense', '!x=9\n x+1', 'x=1']
]

const bad: readonly (readonly [...Case, kind: AnomalyKind])[] = [
  ['a mixture of two transactions', 'x+1 y+2\n x+3 y+4', 'x=1,3 y=4,2', 'G0'],
  ['three that overwrite each other in a circle', 'x+1 y+2\n y+3 z+4\n z+5 x+6', 'x=6,1 y=2,3 z=4,5', 'G0'],
  ['a read of what was rolled back', '!x+1\n x=1', undefined, 'G1a'],
  ['a read of what nobody wrote', 'x=7', undefined, 'G1a'],
  ['what was rolled back and is there in the end', '!x+1\n x+2', 'x=1,2', 'G1a'],
  ['a read of half a transaction', 'x+1 x+2\n x=1', 'x=1,2', 'G1b'],
  ['two that read each other', 'x+1 y=2\n y+2 x=1', 'x=1 y=2', 'G1c'],
  ['a read of what comes later', 'x+1 y=2\n x+3 y+2', 'x=1,3 y=2', 'G1c'],
  ['two reads that contradict each other', 'x+1\n x+2\n x=1,2\n x=2,1', undefined, 'incompatible-order'],
  ['an element twice', 'x+1\n x=1,1', undefined, 'incompatible-order'],
  ['an append that is not there', 'x+1\n x= x+2', 'x=2', 'lost-append'],
  ['an append overwritten by one that did not see it', 'x= x+1\n x= x+2', 'x=2', 'lost-append'],
  ['its own append that it does not see', 'x+1 x=', 'x=1', 'internal'],
  ['one key before and one key after another transaction', 'x= y=2\n x+1 y+2', 'x=1 y=2', 'G-single'],
  ['a key read twice with a change in between', 'x= x=1\n x+1', undefined, 'G-single'],
  ['an update over one that was not seen', 'x= x+1\n x+2', 'x=2,1', 'G-single'],
  ['two readers that see two writers in different orders', 'x+1\n y+2\n x=1 y=\n x= y=2', 'x=1 y=2', 'G-nonadjacent'],
  ['write skew', 'x= y= x+1\n x= y= y+2', 'x=1 y=2', 'G2'],
  ['write skew of three', 'x= y+1\n y= z+2\n z= x+3', 'x=3 y=1 z=2', 'G2'],
  // Fekete, O'Neil and O'Neil 2004.
  ['a report that fits neither order', 'x= y= x+1\n y+2\n x= y=2', 'x=1 y=2', 'G2'],
  ['a write before an earlier one', '[0,1] x+1\n [2,3] x+2', 'x=2,1', 'G0-realtime'],
  ['a read of what comes later in real time', '[0,1] x=1\n [2,3] x+1', 'x=1', 'G1c-realtime'],
  ['a stale read', '[0,1] x+1\n [2,3] x=', 'x=1', 'G-single-realtime'],
  [
    'a stale read, seen through a third one',
    '[0,1] x+1\n [2,3] x=1 y+2\n [4,5] y=2\n [6,7] z+3 x=',
    'x=1 y=2 z=3',
    'G-single-realtime'
  ]
]

describe('the checker of histories', () => {
  it.each(good)('finds nothing wrong with %s', (_, lines, final) => {
    expect(anomaliesOf(written(lines, final))).toEqual([])
  })

  it.each(bad)('finds %s', (_, lines, final, kind) => {
    expect(anomaliesOf(written(lines, final)).map(anomaly => anomaly.kind)).toContain(kind)
  })

  it('judges by level', () => {
    const skew = written('x= y= x+1\n x= y= y+2', 'x=1 y=2')
    expect(violationsOf(skew, 'serializable').map(({ kind }) => kind)).toEqual(['G2'])
    expect(violationsOf(skew, 'snapshot')).toEqual([])
    const readSkew = written('x= y=2\n x+1 y+2', 'x=1 y=2')
    expect(violationsOf(readSkew, 'snapshot').map(({ kind }) => kind)).toContain('G-single')
    expect(violationsOf(readSkew, 'read-committed')).toEqual([])
    const mixture = written('x+1 y+2\n x+3 y+4', 'x=1,3 y=4,2')
    expect(violationsOf(mixture, 'read-committed').map(({ kind }) => kind)).toContain('G0')
  })

  it('finds a forbidden cycle among many that are allowed', () => {
    const skews = Array.from(
      { length: 50 },
      (_, i) => `a${i}= b${i}= a${i}+${4 * i + 1}\n a${i}= b${i}= b${i}+${4 * i + 2}`
    )
    const history = written(`${skews.join('\n')}\n x= y=998\n x+999 y+998`)
    expect(
      violationsOf({ ...history, final: finalOf(history.transactions) }, 'snapshot').map(({ kind }) => kind)
    ).toEqual(['G-single'])
  })

  it('says who is in the cycle', () => {
    const [anomaly] = anomaliesOf(written('z+9\n x= y=2\n x+1 y+2', 'x=1 y=2 z=9'))
    expect(anomaly?.detail).toBe('1 rw 2 wr back')
  })

  it('takes no history with outcomes that are unknown', () => {
    const { transactions } = written('x+1')
    for (const transaction of transactions) transaction.outcome = 'unknown'
    expect(() => anomaliesOf({ transactions })).toThrow('Decide first')
  })

  it('checks 100,000 transactions within the time of a test, and finds the one that is wrong', () => {
    const transactions = serialHistory(100_000)
    expect(anomaliesOf({ transactions, final: finalOf(transactions) })).toEqual([])
    const victim = transactions[50_150]
    if (victim === undefined) throw new Error('The history is too short')
    victim.operations = victim.operations.map(operation =>
      operation.type === 'read' ? { ...operation, list: operation.list.slice(0, -1) } : operation
    )
    const kinds = anomaliesOf({ transactions, final: finalOf(transactions) }).map(({ kind }) => kind)
    expect(kinds).toContain('G-single')
  })
})

/** Transactions that run one after the other, some lists at a time; each reads the list that it appends to. */
function serialHistory(count: number): RecordedTransaction[] {
  const random = new Random(1)
  const lists = new Map<string, number[]>()
  return Array.from({ length: count }, (_, i) => {
    const key = `${Math.floor(i / 200)}/${random.below(8)}`
    const list = lists.get(key) ?? [-1 - i]
    const first = lists.has(key) ? [] : [{ type: 'append', key, element: -1 - i } as const]
    lists.set(key, [...list, i])
    return {
      began: 2 * i,
      ended: 2 * i + 1,
      outcome: 'committed',
      operations: [...first, { type: 'read', key, list }, { type: 'append', key, element: i }]
    }
  })
}

/** What is there in the end when all elements were appended in the order of the transactions. */
function finalOf(transactions: readonly RecordedTransaction[]): Map<string, readonly number[]> {
  const lists = new Map<string, number[]>()
  for (const { operations } of transactions) {
    for (const operation of operations) {
      if (operation.type !== 'append') continue
      const list = lists.get(operation.key)
      if (list === undefined) lists.set(operation.key, [operation.element])
      else list.push(operation.element)
    }
  }
  return lists
}
