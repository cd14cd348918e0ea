// One owner, whatever it runs in: who is refused, who gets the database after a death, and that nothing is lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { open } from '../../src/index.ts'
import { bundleProgram, type Program } from '../support/child.ts'
import { openAt, rejection } from '../support/database.ts'
import { inDirectory } from '../support/in-directory.ts'
import { runtimeNamed } from './runtime.ts'

/** What holds between this process and others in the runtime of this name. */
export function describeSharing(name: string): void {
  describe(`a database shared with ${name}`, { timeout: 120_000 }, () => {
    const runtime = runtimeNamed(name)
    let program: Program
    beforeAll(async () => {
      program = await bundleProgram(new URL('./program.ts', import.meta.url))
    })
    afterAll(() => program.remove())

    const start = (mode: string, location: string): ChildProcess => {
      const child = spawn(runtime.program, [...runtime.flags, program.path, mode, location], {
        stdio: ['ignore', 'pipe', 'inherit']
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    }

    const output = async (mode: string, location: string): Promise<string[]> => {
      const lines: string[] = []
      for await (const line of linesOf(start(mode, location))) lines.push(line)
      return lines
    }

    it('has one owner: who comes second is told who that is', async () => {
      const location = await inDirectory.newLocation()
      const writer = start('write', location)
      await linesOf(writer).next()
      const error = await rejection('LIGHTNING_LOCKED', open(location))
      expect(error.message).toContain(`process ${writer.pid} `)
      expect((await output('try', location)).join()).toMatch(/^LIGHTNING_LOCKED/)
    })

    it('refuses it while this process is the owner, and lets it in afterwards', async () => {
      const location = await inDirectory.newLocation()
      const db = await openAt(location)
      expect((await output('try', location)).join()).toContain(`process ${process.pid} `)
      await db.close()
      expect(await output('try', location)).toEqual(['opened'])
    })

    it('is free at once, and whole, when its owner is killed in the middle of writing', async () => {
      const location = await inDirectory.newLocation()
      for (const count of [40, 300, 150]) {
        const writer = start('write', location)
        let acknowledged = -1
        let writes = 0
        for await (const line of linesOf(writer)) {
          if (!line.startsWith('wrote ')) continue
          acknowledged = Number(line.slice('wrote '.length))
          if (++writes === count) writer.kill('SIGKILL')
        }
        expect(writes).toBeGreaterThanOrEqual(count)
        const db = await open<string, number>(location)
        const last = db.get('last') ?? -1
        expect(last).toBeGreaterThanOrEqual(acknowledged)
        expect(db.get(`at-${last % 5_000}`)).toBe(last)
        expect((await db.verify()).problems).toEqual([])
        await db.close()
      }
    })

    it('is free when the thread that owned it has ended', async () => {
      const [held = '', free] = await output('worker', await inDirectory.newLocation())
      expect(held).toMatch(/^held LIGHTNING_LOCKED/)
      expect(free).toBe('free opened')
    })
  })
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout === null) throw new Error('the program has no output')
  yield* createInterface({ input: child.stdout })
}
