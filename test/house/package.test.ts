import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as source from '../../src/index.ts'

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

  test('runs nothing when it is installed', () => {
    const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare']
    expect(atInstallation.filter(name => name in manifest.scripts)).toEqual([])
  })
})
