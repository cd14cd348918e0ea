import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { esbuildWorkerSources } from '../../scripts/worker-sources.mjs'
import { temporaryDirectory } from '../support/directory.ts'
import { root } from './layout.ts'

const run = promisify(execFile)

/** What a program in a document says that it prints: the comments `// prints …`, in their order. */
function promised(program: string): string[] {
  return Array.from(program.matchAll(/\/\/ +prints (.*)/g), ([, text = '']) => text)
}

/** Runs a program as someone would who has installed the package; gives the lines it prints. */
async function printed(program: string): Promise<string[]> {
  const directory = await temporaryDirectory()
  const outfile = join(directory, 'program.mjs')
  await build({
    stdin: { contents: program, loader: 'ts', resolveDir: root },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    alias: { 'lightning-db': join(root, 'src/index.ts') },
    plugins: [esbuildTwins, esbuildWorkerSources],
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  const { stdout } = await run(process.execPath, [outfile], { cwd: directory })
  return stdout.trimEnd().split('\n')
}

const text = await readFile(join(root, 'README.md'), 'utf8')
const programs = Array.from(text.matchAll(/^```ts\n(.*?)^```/gms), ([, program = '']) => program)

describe('the programs in the README', () => {
  test('are there', () => {
    expect(programs.length).toBeGreaterThanOrEqual(2)
    expect(programs.every(program => promised(program).length > 0)).toBe(true)
  })

  test.each(programs.map((program, i) => [i + 1, program] as const))(
    'print what they say: number %i',
    async (_, program) => {
      expect((await printed(program)).join(', ')).toBe(promised(program).join(', '))
    }
  )
})
