import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleProgram } from '../../scripts/bundle-program.mjs'
import { root } from './layout.ts'

/** The commands that take options: what package.json runs when everything is set up, by its own name or by run.mjs. */
const commands = {
  bench: 'bench/main.ts',
  torture: 'fuzz/torture.ts',
  soak: 'fuzz/soak.ts',
  planted: 'fuzz/planted.ts',
  fuzz: 'fuzz/fuzz.ts',
  playground: 'scripts/playground.mjs'
} as const

/** Options that the command knows, with values that it does not. */
const wrong: Readonly<Record<string, readonly string[]>> = {
  bench: ['--keys=many', '--gigabytes=0', '--engines=none'],
  torture: ['--only=nothing', '--minutes=-1'],
  soak: ['--rate=fast'],
  planted: ['--only=0'],
  fuzz: ['--only=nothing']
}

interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[]): Promise<Ending> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, args, { cwd: root }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    })
  })
}

const expectHelp = ({ code, stdout, stderr }: Ending, command: string) => {
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(new RegExp(`^usage: npm run ${command} -- .*\n\n  --`))
}

test('run.mjs bundles a program, and hands on its arguments, its output and its exit code', async () => {
  expectHelp(await run(['scripts/run.mjs', commands.fuzz, '--help']), 'fuzz')
  expect((await run(['scripts/run.mjs', commands.fuzz, '--misspelt'])).code).toBe(2)
})

describe.each(Object.entries(commands))('npm run %s', (command, file) => {
  let script: string = file
  beforeAll(async () => {
    if (file.endsWith('.ts')) script = await bundleProgram(join(root, file))
  })
  afterAll(() => {
    if (script !== file) rmSync(script)
  })

  test('--help prints its options', async () => {
    expectHelp(await run([script, '--help']), command)
  })

  test.each(['--misspelt', ...(wrong[command] ?? [])])(
    '%s: what is wrong is said in one line, with exit code 2',
    async option => {
      const { code, stdout, stderr } = await run([script, option])
      expect([code, stdout]).toEqual([2, ''])
      const [, told = option] = option.split('=')
      expect(stderr).toMatch(new RegExp(`^.*${told}.* npm run ${command} -- --help\n$`))
    }
  )
})
