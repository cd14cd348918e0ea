import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** From the lowest up; a file imports only from its own layer and those before it. */
const layers = [
  'assembly',
  'src/kernel',
  'src/vfs',
  'src/store',
  'src/wal',
  'src/engine',
  'src/txn',
  'src/db',
  'src/host',
  'src/adapters',
  'src/cli'
]

/** May be used by every layer and use none but each other. */
const shared = ['src/errors.ts', 'src/encoding']

/** Puts the layers together, so it may import them all, and nothing imports it. */
const top = 'src/index.ts'

const within = (folder: string, path: string) => path === folder || path.startsWith(`${folder}/`)
const layerOf = (path: string) => layers.findIndex(layer => within(layer, path))
const isShared = (path: string) => shared.some(folder => within(folder, path))

const files = ['assembly', 'src'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map(name => join(folder, name).split(sep).join('/'))
)

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)
  return Array.from(found, ([, path = '']) => {
    return relative(root, join(root, dirname(file), path))
      .split(sep)
      .join('/')
  })
}

/** Why this import is not allowed, or undefined. */
function objection(file: string, imported: string): string | undefined {
  if (file === top) return undefined
  if (imported === top) return 'nothing imports the top'
  if (isShared(imported)) return undefined
  if (isShared(file)) return 'what every layer uses can use no layer'
  if (layerOf(imported) < 0) return 'it belongs to no layer'
  return layerOf(imported) > layerOf(file) ? 'it is a layer further up' : undefined
}

describe('the layers', () => {
  test('are where every file of the library belongs', () => {
    const lost = files.filter(file => file !== top && !isShared(file) && layerOf(file) < 0)
    expect(lost).toEqual([])
  })

  test('import only downwards', () => {
    const objections = files.flatMap(file =>
      importsOf(file).flatMap(imported => {
        const reason = objection(file, imported)
        return reason === undefined ? [] : [`${file} imports ${imported}: ${reason}`]
      })
    )
    expect(objections).toEqual([])
  })

  test('are told apart: an import upwards would be found', () => {
    expect(objection('src/vfs/node.ts', 'src/wal/reader.ts')).toBeDefined()
    expect(objection('src/encoding/tuple.ts', 'src/db/database.ts')).toBeDefined()
    expect(objection('src/wal/reader.ts', 'src/vfs/vfs.ts')).toBeUndefined()
    expect(importsOf('src/kernel/load.ts')).toContain('src/errors.ts')
    expect(importsOf('src/kernel/load.ts')).toContain('src/kernel/generated/javascript.ts')
  })
})
