import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './layout.ts'

/** The commands that take options, as package.json runs them when everything is set up. */
const commands: readonly (readonly [command: string, ...script: string[]])[] = [
  ['bench', 'scripts/run.mjs', 'bench/main.ts'],
  ['torture', 'scripts/run.mjs', 'fuzz/torture.ts'],
  ['soak', 'scripts/run.mjs', 'fuzz/soak.ts'],
  ['planted', 'scripts/run.mjs', 'fuzz/planted.ts'],
  ['fuzz', 'scripts/run.mjs', 'fuzz/fuzz.ts'],
  ['playground', 'scripts/playground.mjs']
]

interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[]): Promise<Ending> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, args, { cwd: join(root) }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    })
  })
}

describe.each(commands)('npm run %s', (command, ...script) => {
  test('--help prints its options', async () => {
    const { code, stdout, stderr } = await run([...script, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^usage: npm run ${command} -- .*\n\n  --`))
  })

  test('says in one line that there is no such option, with exit code 2', async () => {
    const { code, stdout, stderr } = await run([...script, '--misspelt'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(new RegExp(`^.*misspelt.* npm run ${command} -- --help\n$`))
  })
})

test.each([
  ['bench/main.ts', '--keys=many', 'many'],
  ['bench/main.ts', '--gigabytes=0', '0'],
  ['bench/main.ts', '--engines=none', 'none'],
  ['fuzz/torture.ts', '--only=nothing', 'nothing'],
  ['fuzz/torture.ts', '--minutes=-1', '-1'],
  ['fuzz/soak.ts', '--rate=fast', 'fast'],
  ['fuzz/planted.ts', '--only=0', '0'],
  ['fuzz/fuzz.ts', '--only=nothing', 'nothing']
])('%s %s: what is wrong is said in one line', async (script, option, told) => {
  const { code, stdout, stderr } = await run(['scripts/run.mjs', script, option])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(new RegExp(`: ${told}\\. What there is: .*\n$`))
})
