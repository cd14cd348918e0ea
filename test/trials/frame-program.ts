// `npm run torture` with trials that misbehave in every way that the frame must notice.
import { torture } from '../../fuzz/runner/campaign.ts'
import { serveCases, workerFlag } from '../../fuzz/runner/case-worker.ts'
import type { Trial } from '../../fuzz/runner/trial.ts'

const good: Trial<number> = {
  name: 'good',
  what: 'Every case passes.',
  caseOf: seed => seed,
  run: async testCase => ({ cases: 1, sum: testCase }),
  shrink: () => []
}

const large: Trial<{ readonly numbers: readonly number[] }> = {
  name: 'large',
  what: 'A case with a seven in it fails.',
  caseOf: seed => ({ numbers: Array.from({ length: 20 }, (_, i) => seed + i) }),
  async run({ numbers }) {
    if (numbers.includes(7)) throw new Error('there is a seven', { cause: new Error('somebody put it there') })
    return { numbers: numbers.length }
  },
  *shrink({ numbers }) {
    for (const i of numbers.keys()) yield { numbers: numbers.toSpliced(i, 1) }
  }
}

/** A trial whose cases all do this. */
function bad(
  name: string,
  run: () => Promise<void>,
  most: { mostMs?: number; mostBytes?: number } = {}
): Trial<number> {
  return {
    ...good,
    ...most,
    name,
    async run() {
      await run()
      return {}
    }
  }
}

const trials: readonly Trial<unknown>[] = [
  good,
  large,
  bad(
    'busy',
    async () => {
      while (Date.now() > 0);
    },
    { mostMs: 500 }
  ),
  bad('asleep', () => new Promise(() => setInterval(() => undefined, 1_000)), { mostMs: 500 }),
  bad('stray', async () => {
    void Promise.reject(new Error('nobody cares'))
  }),
  bad('dying', async () => process.exit(3)),
  bad(
    'hungry',
    async () => {
      const kept: Buffer[] = []
      while (Date.now() > 0) kept.push(Buffer.alloc(1 << 20, 1))
    },
    { mostBytes: 400 << 20 }
  )
]

const args = process.argv.slice(2)
if (args[0] === workerFlag) serveCases(trials, args[1])
else process.exitCode = await torture(trials, args)
