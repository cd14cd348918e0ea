// Pulling the plug: a child process writes durably and says over a pipe what has been acknowledged; it is killed with
// SIGKILL at a random moment; then the database is opened again and must hold everything that was acknowledged.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Readable, Stream } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { openAtlas } from './atlas.ts'
import { expect } from './chapters.ts'
import { chapter, clocked, count, duration, line } from './report.ts'

export const writerFlag = '--writer'

const rounds = 5
const leastMs = 100
const mostMs = 600
/** Writes that the child has under way at any time. */
const writesAtOnce = 32
/** File descriptor of the pipe in the child. */
const pipe = 3

/** In the child: writes one numbered entry after the other until it is killed. */
export async function writeUntilKilled(directory: string, round: number): Promise<never> {
  const { journal } = await openAtlas(directory)
  let next = 0
  const writer = async () => {
    for (;;) {
      const number = next++
      await journal.put([round, number], text(round, number))
      // Synchronously: what has left this process cannot be lost with it.
      writeSync(pipe, `${number}\n`)
    }
  }
  await Promise.race(Array.from({ length: writesAtOnce }, writer))
  throw new Error('the writers never end')
}

/** Kills a writing child several times and looks what is left; `cities` entries must survive all of it. */
export async function crash(directory: string, cities: number): Promise<void> {
  chapter('Crashing')
  let total = 0
  for (let round = 1; round <= rounds; round++) {
    const { acknowledged, afterMs } = await killedWriter(directory, round)
    const opening = await clocked(() => openAtlas(directory))
    const { database, journal } = opening.result
    for (const number of acknowledged) {
      expect(journal.get([round, number]) === text(round, number), `write ${number} of round ${round} has survived`)
    }
    const found = journal.count({ prefix: [round] })
    expect(found >= acknowledged.length, 'nothing acknowledged is missing')
    expect(database.count() === cities, 'all cities are there')
    const report = await database.verify()
    expect(report.ok, 'every page is sound')
    await database.close()
    total += acknowledged.length
    line(
      `killed after ${duration(afterMs)}`,
      `${count(acknowledged.length)} of ${count(acknowledged.length)} acknowledged writes there`,
      `recovered in ${duration(opening.ms)}, ${count(found - acknowledged.length)} more had made it`
    )
  }
  line(`${rounds} kills`, `0 of ${count(total)} lost`, 'every page verified after each')
}

async function killedWriter(directory: string, round: number) {
  const [, program = ''] = process.argv
  const child = spawn(process.execPath, [program, writerFlag, directory, String(round)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe']
  })
  const ended = new Promise<NodeJS.Signals | number | null>(resolve => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  const acknowledged: number[] = []
  const lines = createInterface({ input: pipeOf(child) })
  const drained = new Promise<void>(resolve => lines.once('close', resolve))
  const started = new Promise<void>(resolve => lines.once('line', () => resolve()))
  lines.on('line', number => acknowledged.push(Number(number)))
  await Promise.race([started, ended])
  const before = performance.now()
  await pause(leastMs + Math.random() * (mostMs - leastMs))
  child.kill('SIGKILL')
  const afterMs = performance.now() - before
  const how = await ended
  if (how !== 'SIGKILL') throw new Error(`the writer ended by itself: ${how}`)
  await drained
  return { acknowledged, afterMs }
}

function pipeOf({ stdio }: ChildProcess): Readable {
  const stream = stdio[pipe]
  if (!(stream instanceof Stream.Readable)) throw new Error('the child has no pipe')
  return stream
}

function text(round: number, number: number): string {
  return `write ${number} of round ${round}, acknowledged only when it is on the disk`
}
