// The frame of `npm run torture`, with trials that are known to fail.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundleProgram, type Program } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./frame-program.ts', import.meta.url))
})
afterAll(() => program.remove())

vi.setConfig({ testTimeout: 60_000 })

interface Run {
  readonly code: number
  readonly output: string
}

function torture(directory: string, ...args: string[]): Promise<Run> {
  return new Promise(resolve => {
    execFile(process.execPath, [program.path, ...args], { cwd: directory }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr })
    })
  })
}

const recordIn = async (directory: string, path: string) => JSON.parse(await readFile(join(directory, path), 'utf8'))

describe('a run', () => {
  test('tries seed after seed, sums up, goes on where it was, and records', async () => {
    const directory = await temporaryDirectory()
    const first = await torture(directory, '--cases', '20', '--only', 'good')
    expect(first).toMatchObject({ code: 0 })
    const begun = await recordIn(directory, 'build/torture/good.json')
    expect(begun).toMatchObject({ next: 21, counts: { cases: 20, sum: 210 } })
    await torture(directory, '--cases', '20', '--only', 'good', '--resume', '--record')
    const recorded = await recordIn(directory, 'fuzz/results/torture-good.json')
    expect(recorded).toMatchObject({ cases: 40, failures: 0, counts: { cases: 40, sum: 820 } })
    expect(recorded.machine.runtime).toBe(`Node ${process.versions.node}`)
  })

  test('ends when its time is over', async () => {
    const { code, output } = await torture(await temporaryDirectory(), '--minutes', '0.005', '--only', 'good')
    expect(code).toBe(0)
    expect(output).toContain('Every case passes.')
  })

  test('says what it can do, and what it does not understand', async () => {
    const directory = await temporaryDirectory()
    expect(await torture(directory, '--help')).toMatchObject({ code: 0, output: expect.stringContaining('--resume') })
    const { code, output } = await torture(directory, '--only', 'nothing')
    expect(code).toBe(2)
    expect(output).toBe('no such trial: nothing. What there is: npm run torture -- --help\n')
  })

  test('prints of a failure a smaller case, which fails when it is run again', async () => {
    const directory = await temporaryDirectory()
    const { code, output } = await torture(directory, '--only', 'large', '--seed', '3')
    expect(code).toBe(1)
    expect(output).toContain('npm run torture -- --only large --seed 3')
    expect(output).toContain('somebody put it there')
    const [, smallest = ''] = /--case '(.*)'/.exec(output) ?? []
    expect(JSON.parse(smallest)).toEqual({ numbers: [7] })
    expect(await torture(directory, '--only', 'large', '--case', smallest)).toMatchObject({ code: 1 })
    expect(await torture(directory, '--only', 'large', '--case', '{"numbers":[8]}')).toMatchObject({ code: 0 })
  })

  test('stops a trial that fails and fails, and goes on with the others', async () => {
    const directory = await temporaryDirectory()
    const { code } = await torture(directory, '--cases', '10', '--only', 'stray,good')
    expect(code).toBe(1)
    expect(await recordIn(directory, 'build/torture/stray.json')).toMatchObject({ failures: 5 })
    expect(await recordIn(directory, 'build/torture/good.json')).toMatchObject({ cases: 10, failures: 0 })
  })
})

describe('a case', () => {
  test.each([
    ['busy', 'did not end within'],
    ['asleep', 'did not end within'],
    ['stray', 'nobody cares'],
    ['dying', 'ended with 3'],
    ['hungry', 'MiB of memory, more than a case may']
  ])('that is %s is a failure', async (name, message) => {
    const { code, output } = await torture(await temporaryDirectory(), '--only', name, '--seed', '1')
    expect(output).toContain(message)
    expect(code).toBe(1)
  })
})
