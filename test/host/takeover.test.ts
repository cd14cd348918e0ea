// How long a database is without an owner when its owner is killed: from its end, which frees the lock, to the first
// answer that a client gets from the next one.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.ts'
import { bundleProgram, type Program, startProcess, startWorker } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { recordTakeovers, takeovers } from '../support/takeovers.ts'

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./client-program.ts', import.meta.url))
})
afterAll(() => program.remove())

it.each([
  ['process', startProcess],
  ['thread', startWorker]
])(
  'an owner in a %s that is killed has a successor within seconds',
  {
    timeout: 60_000 * takeovers
  },
  async (kind, start) => {
    const location = join(await temporaryDirectory(), 'db')
    const times: number[] = []
    for (let i = 0; i < takeovers; i++) {
      const owner = start(program)
      onTestFinished(() => owner.kill())
      expect(await owner.ask({ do: 'connect', location })).toBe('connected')
      const client = await connect<string, number>(location)
      await client.batch(Array.from({ length: 1_000 }, (_, k) => ({ type: 'put', key: `k${k}`, value: i })))
      await owner.kill()
      const free = performance.now()
      expect(await client.get('k999')).toBe(i)
      times.push(performance.now() - free)
      await client.put('k0', i)
      await client.close()
    }
    recordTakeovers(kind, times, {})
  }
)
