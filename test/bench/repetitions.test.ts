import { expect, test } from 'vitest'
import { type Repetitions, together } from '../../bench/repetitions.ts'

const machine = { processor: 'one', cores: 2, memoryGiB: 24, system: 'linux', runtime: 'Node 20', date: '2026-11-26' }

function run(samples: Repetitions['comparisons'][number]['samples'], more: Partial<Repetitions> = {}): Repetitions {
  return {
    machine,
    repeat: 2,
    comparisons: [{ keys: 1000, shape: 'users', medians: {}, samples, failures: [] }],
    ...more
  }
}

test('runs are taken together row by row and engine by engine, with the medians of all', () => {
  const earlier = run({ get: { lightning: [1, 5], lmdb: [7] }, load: { lightning: [2] } })
  const later = run({ get: { lightning: [9] }, scan: { lmdb: [4] } }, { machine: { ...machine, date: '2026-11-27' } })
  const { repeat, machine: of, comparisons } = together(earlier, later)
  expect([repeat, of.date]).toEqual([4, '2026-11-27'])
  expect(comparisons).toEqual([
    {
      keys: 1000,
      shape: 'users',
      medians: { get: { lightning: 5, lmdb: 7 }, load: { lightning: 2 }, scan: { lmdb: 4 } },
      samples: { get: { lightning: [1, 5, 9], lmdb: [7] }, load: { lightning: [2] }, scan: { lmdb: [4] } },
      failures: []
    }
  ])
})

test('runs of other machines or sizes are refused', () => {
  const one = run({})
  const [comparison] = one.comparisons
  expect(() => together(one, run({}, { machine: { ...machine, cores: 4 } }))).toThrow('machine')
  expect(() => together(one, run({}, { comparisons: [] }))).toThrow('sizes')
  if (comparison === undefined) throw new Error('there is one')
  expect(() => together(one, run({}, { comparisons: [{ ...comparison, keys: 2000 }] }))).toThrow('sizes')
})
