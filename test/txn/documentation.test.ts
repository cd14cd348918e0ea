// The programs in docs/transactions.md print what they say.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { esbuildTwins } from '../../scripts/javascript-twins.mjs'
import { temporaryDirectory } from '../support/directory.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = await readFile(join(root, 'docs/transactions.md'), 'utf8')
const programs = Array.from(
  text.matchAll(/^## (.*?)$(?:(?!^## ).)*?^```ts\n(.*?)^```/gms),
  ([, title = '', program = '']) => ({
    title,
    program
  })
)

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
    plugins: [esbuildTwins],
    define: { PLANTED_BUG: '0' },
    logLevel: 'error'
  })
  const { stdout } = await promisify(execFile)(process.execPath, [outfile], { cwd: directory })
  return stdout.trimEnd().split('\n')
}

describe('the programs in docs/transactions.md', () => {
  it('are five', () => {
    expect(programs.map(({ title }) => title)).toHaveLength(5)
  })

  it.each(programs)('print what they say: $title', async ({ program }) => {
    const promised = Array.from(program.matchAll(/\/\/ +prints (.*)/g), ([, line = '']) => line)
    expect(promised.length).toBeGreaterThan(0)
    expect(await printed(program)).toEqual(promised)
  })
})
