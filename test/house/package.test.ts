import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import * as source from '../../src/index.ts'
import { temporaryDirectory } from '../support/directory.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly name: string
  readonly exports: Record<string, unknown>
  readonly dependencies: Record<string, string>
  readonly scripts: Record<string, string>
}
const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Every file that package.json names in its exports, whatever the conditions. */
const targets = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targets) : []
}

describe('the package as built', () => {
  test('has every file that its exports name', () => {
    if (!existsSync(join(root, 'dist'))) throw new Error('not built: npm run build')
    const missing = targets(manifest.exports).filter(path => !existsSync(join(root, path)))
    expect(missing).toEqual([])
  })

  test('gives a program that imports it by name what src/index.ts exports', () => {
    const program = `console.log(JSON.stringify(Object.keys(await import('${manifest.name}')).sort()))`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: root })
    expect(JSON.parse(output.toString())).toEqual(Object.keys(source).sort())
  })

  test('imports no package that a user would not get along with it', () => {
    const scripts = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.js')
    )
    const imported = scripts.flatMap(name => {
      const text = readFileSync(join(root, 'dist', name), 'utf8')
      return Array.from(text.matchAll(/^(?:import|export)\b[^'"]*['"]([^'".][^'"]*)['"]/gm), ([, path = '']) => path)
    })
    const strangers = imported.filter(
      path => !path.startsWith('node:') && !Object.keys(manifest.dependencies).some(name => path.startsWith(name))
    )
    expect(strangers).toEqual([])
  })

  test.each(['esm', 'cjs'] as const)('is whole in a server that is bundled to one file, as %s', async format => {
    const directory = await temporaryDirectory()
    const outfile = join(directory, `server.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const contents = `import { connect, open } from 'lightning-db'
      async function serve() {
        const db = await open('data')
        await db.put('a', 1)
        await db.close()
        const client = await connect('data')
        console.log(await client.get('a'))
        await client.close()
      }
      serve()`
    // What bundlers say of import.meta in CommonJS: the package does without it there.
    const logOverride = { 'empty-import-meta': 'silent' } as const
    await build({ stdin: { contents, resolveDir: root }, bundle: true, platform: 'node', format, outfile, logOverride })
    expect(execFileSync(process.execPath, [outfile], { cwd: directory, encoding: 'utf8' })).toBe('1\n')
  })

  test.each([
    ['a page, which has no types of Node', { lib: ['es2022', 'dom'], types: [] }],
    ['Node, which has no types of pages', { lib: ['es2022'], types: ['node'] }]
  ])('has types that are whole in %s', async (_, { lib, types }) => {
    const directory = await temporaryDirectory()
    const program = `import { connect, open } from 'lightning-db'
      export async function program(): Promise<number> {
        using snapshot = (await open<string, number>(':memory:')).snapshot()
        for (const [key, value] of snapshot.entries()) return key.length + value
        await using db = await connect('x', { valueEncoding: 'utf8' })
        return (await db.get('key'))?.length ?? 0
      }`
    const compilerOptions = {
      ...{ lib, types, strict: true, noEmit: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler' },
      ...{ paths: { 'lightning-db': [join(root, 'dist/index.d.ts')] }, typeRoots: [join(root, 'node_modules/@types')] }
    }
    writeFileSync(join(directory, 'program.ts'), program)
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', directory], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  test('has types that TypeScript 5.2 understands, whose iterators have one type parameter', () => {
    const declarations = readFileSync(join(root, 'dist/index.d.ts'), 'utf8')
    const iterators = declarations.match(/\bIterable\w*<[^<>{]*>|\bAsyncIterable\w*<[^<>{]*>/g) ?? []
    expect(iterators.length).toBeGreaterThan(0)
    expect(iterators.filter(iterator => iterator.includes(','))).toEqual([])
  })

  test('runs nothing when it is installed', () => {
    const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare']
    expect(atInstallation.filter(name => name in manifest.scripts)).toEqual([])
  })
})
