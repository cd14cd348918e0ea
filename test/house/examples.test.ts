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

/** The programs of a document that say what they print. */
async function programsOf(document: string): Promise<string[]> {
  const text = await readFile(join(root, document), 'utf8')
  const programs = Array.from(text.matchAll(/^```ts\n(.*?)^```/gms), ([, program = '']) => program)
  return programs.filter(program => promised(program).length > 0)
}

// Others show single calls, or what only a bundler understands.
describe.each(['README.md', 'docs/clients.md', 'docs/transactions.md'])('the programs in %s', async document => {
  const programs = await programsOf(document)

  test('are there', () => {
    expect(programs.length).toBe({ 'README.md': 4, 'docs/clients.md': 1, 'docs/transactions.md': 5 }[document])
  })

  test.each(programs.map((program, i) => [i + 1, program] as const))(
    'print what they say: number %i',
    async (_, program) => {
      expect((await printed(program)).join(', ')).toBe(promised(program).join(', '))
    }
  )
})
