// A real process, killed at random moments under load: everything it acknowledged is there, and everything is sound.
// The long form: KILL_CYCLES=200, from KILL_SEED on.
import { type ChildProcess, fork } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeVfs } from '../../src/vfs/node.ts'
import { bundleProgram, type Program } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { Random } from '../support/random.ts'
import { contentOf, openEngine } from './content.ts'
import { advance, killOptions } from './kill-load.ts'
import { expectContent, expectSound } from './support.ts'

const cycles = Number(process.env.KILL_CYCLES ?? 6)
const seed = Number(process.env.KILL_SEED ?? 1)
const mostCommits = 400

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./kill-program.ts', import.meta.url))
})
afterAll(() => program.remove())

/** Lets the process work until it has acknowledged commit `lsn`, then kills it; returns the last one acknowledged. */
async function killAfter(
  location: string,
  lsn: number,
  commits: number
): Promise<{ acknowledged: number; closed: boolean }> {
  const child: ChildProcess = fork(program.path, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let acknowledged = 0
  let closed = false
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.on('message', (message: { acknowledged?: number; closed?: boolean }) => {
    acknowledged = Math.max(acknowledged, message.acknowledged ?? 0)
    if (message.closed === true) {
      closed = true
      child.kill()
    } else if (acknowledged >= lsn) child.kill('SIGKILL')
  })
  child.send({ location, commits })
  await ended
  return { acknowledged, closed }
}

test(
  'what a killed process has acknowledged is there',
  async () => {
    const random = new Random(seed)
    let location = await temporaryDirectory()
    let state = new Map<string, string>()
    let at = 0
    for (let cycle = 0; cycle < cycles; cycle++) {
      if (at >= mostCommits) {
        location = await temporaryDirectory()
        state = new Map()
        at = 0
      }
      const { acknowledged, closed } = await killAfter(location, at + 1 + random.below(mostCommits / 3), mostCommits)
      const engine = await openEngine(nodeVfs(location), killOptions)
      const found = engine.sequence
      const context = `seed ${seed}, cycle ${cycle}: acknowledged ${acknowledged}, found ${found}`
      expect(found, context).toBeGreaterThanOrEqual(Math.max(at, acknowledged))
      if (closed) expect(found, context).toBe(acknowledged)
      advance(state, at, found)
      at = found
      expectContent(contentOf(engine), state)
      await expectSound(engine)
      await engine.close()
    }
  },
  60_000 + cycles * 10_000
)
