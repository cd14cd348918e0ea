// A real process on a real disk, killed (SIGKILL) at random moments under load, again and again: everything that it
// acknowledged is there, nothing that it did not write is, and everything is sound.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleProgram, type Program } from '../../test/support/child.ts'
import { Random } from '../../test/support/random.ts'
import type { Counts, Trial } from '../runner/trial.ts'
import { advance, contentOf, type KillOptions, openForKill } from './kill-load.ts'
import type { KillAnswer, KillRequest } from './kill-program.ts'

export interface KillCase {
  readonly seed: number
  readonly options: KillOptions
  /** After how many further acknowledged commits the process is killed, life after life. */
  readonly lives: readonly number[]
}

const livesPerCase = 6
const mostCommitsPerLife = 130

export const kill: Trial<KillCase> = {
  name: 'kill',
  what: 'A process under load is killed again and again: what it acknowledged is there, and nothing else.',
  mostMs: 300_000,
  caseOf,
  run,
  shrink
}

function caseOf(seed: number): KillCase {
  const random = new Random(seed)
  return {
    seed,
    options: {
      pageSize: random.pick([4_096, 4_096, 16_384]),
      compression: random.pick(['lz4', 'lz4', 'none'] as const),
      walBytes: random.pick([65_536, 1 << 20]),
      durability: random.pick(['strict', 'strict', 'relaxed'] as const),
      verifyWrites: random.chance(0.1),
      ...(random.chance(0.15) ? { wasm: 'off' as const } : {})
    },
    lives: Array.from({ length: livesPerCase }, () => 1 + random.below(mostCommitsPerLife))
  }
}

async function run({ seed, options, lives }: KillCase): Promise<Counts> {
  const directory = await mkdtemp(join(tmpdir(), 'lightning-kill-'))
  const program = await bundleProgram(pathToFileURL(resolve('fuzz/trials/kill-program.ts')))
  const state = new Map<string, string>()
  let at = 0
  let acknowledgedInAll = 0
  try {
    for (const [life, commits] of lives.entries()) {
      const request = { location: join(directory, 'db'), options, seed, last: at + 2 * mostCommitsPerLife }
      const { acknowledged, isClosed } = await killAfter(program, request, at + commits)
      const db = await openForKill(request.location, options)
      try {
        const found = db.sequence()
        const context = `life ${life + 1}: ${acknowledged} was acknowledged, ${found} is found`
        assert(found >= Math.max(at, acknowledged), `a commit is lost; ${context}`)
        if (isClosed) assert.equal(found, request.last, `not all is there after a clean close; ${context}`)
        advance(state, seed, at, found)
        expectContent(contentOf(db), state, context)
        assert.deepEqual((await db.verify()).problems, [], context)
        acknowledgedInAll += Math.max(0, acknowledged - at)
        at = found
      } finally {
        await db.close()
      }
    }
  } finally {
    await program.remove()
    await rm(directory, { recursive: true, force: true })
  }
  return { kills: lives.length, acknowledged: acknowledgedInAll, commits: at }
}

/** Lets the process work until it has acknowledged this commit, then kills it; says what it acknowledged last. */
async function killAfter(
  program: Program,
  request: KillRequest,
  sequence: number
): Promise<{ acknowledged: number; isClosed: boolean }> {
  const child = fork(program.path, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let acknowledged = 0
  let isClosed = false
  // Not 'exit': messages may still be on their way then.
  const ended = new Promise<NodeJS.Signals | null>(done => child.once('close', (_, signal) => done(signal)))
  child.on('message', (answer: KillAnswer) => {
    if (answer === 'closed') isClosed = true
    else acknowledged = Math.max(acknowledged, answer.acknowledged)
    if (isClosed || acknowledged >= sequence) child.kill('SIGKILL')
  })
  child.send(request)
  assert.equal(await ended, 'SIGKILL', 'the process ended by itself')
  return { acknowledged, isClosed }
}

/** Names the first difference; values are long. */
function expectContent(found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>, context: string): void {
  for (const [path, value] of wanted) {
    if (found.get(path) !== value)
      assert.fail(`${path} is ${found.get(path)?.slice(0, 40)}, not ${value.slice(0, 40)}; ${context}`)
  }
  for (const path of found.keys()) assert(wanted.has(path), `${path} must not be there; ${context}`)
}

/** Smaller cases: fewer lives, then default options. */
function* shrink(testCase: KillCase): Generator<KillCase> {
  const { lives, options } = testCase
  for (const i of lives.keys()) if (lives.length > 1) yield { ...testCase, lives: lives.toSpliced(i, 1) }
  const { wasm, ...others } = options
  if (wasm !== undefined) yield { ...testCase, options: others }
  if (options.verifyWrites) yield { ...testCase, options: { ...options, verifyWrites: false } }
  if (options.compression === 'none') yield { ...testCase, options: { ...options, compression: 'lz4' } }
}
