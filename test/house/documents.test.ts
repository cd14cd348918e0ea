import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openNames } from '../../src/db/options.ts'
import { connectNames } from '../../src/host/connect.ts'
import { lightningErrorCodes } from '../../src/index.ts'
import { root, tablesOf } from './layout.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Manifest {
  readonly version: string
  readonly license: string
  readonly scripts: Record<string, string>
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}
const manifest: Manifest = JSON.parse(read('package.json'))

/** Files under version control, and those that soon will be. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter(path => path !== '' && existsSync(join(root, path)))
const documents = files.filter(path => path.endsWith('.md'))

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/[`*]|\[|\]\([^)]*\)/g, '').toLowerCase()
  return plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

/** A document without its programs and drawings. */
const proseOf = (path: string) => read(path).replaceAll(/^```.*?^```/gms, '')

const anchorsOf = (path: string) =>
  Array.from(proseOf(path).matchAll(/^#+ +(.*)$/gm), ([, heading = '']) => anchorOf(heading))

/** What is wrong with a link from a document, if anything. */
function brokenLink(document: string, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? document : normalize(join(dirname(document), path))
  if (!existsSync(join(root, file))) return `${document} links to ${target}, which does not exist`
  if (anchor === undefined || anchorsOf(file).includes(anchor)) return undefined
  return `${document} links to ${target}, but ${file} has no such heading`
}

describe('the documents', () => {
  test('link only to what exists', () => {
    const broken = documents.flatMap(document => {
      const links = Array.from(proseOf(document).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
      return links.flatMap(target => brokenLink(document, target) ?? [])
    })
    expect(broken).toEqual([])
  })

  test('would be found with a broken link', () => {
    expect(brokenLink('README.md', 'docs/nothing.md')).toBeDefined()
    expect(brokenLink('README.md', 'docs/design.md#nothing')).toBeDefined()
    expect(brokenLink('docs/design.md', 'architecture.md#layers')).toBeUndefined()
  })

  test('name only files that exist', () => {
    const lost = documents.flatMap(document => {
      const paths = proseOf(document).matchAll(/`((?:assembly|bench|docs|examples|scripts|src|test)\/[\w./-]*)`/g)
      return Array.from(paths, ([, path = '']) => path)
        .filter(path => !existsSync(join(root, path)) && !/^src\/(txn|host)\/$/.test(path))
        .map(path => `${document}: ${path}`)
    })
    expect(lost).toEqual([])
  })

  test('have every rule of durability that a comment cites', () => {
    const rules = Array.from(read('docs/durability.md').matchAll(/^(\d+)\. \*\*/gm), ([, number]) => Number(number))
    expect(rules).toEqual(rules.map((_, i) => i + 1))
    const sources = files.filter(path => /^(?:assembly|src|test)\/.*\.ts$/.test(path))
    const cited = sources.flatMap(path =>
      Array.from(read(path).matchAll(/docs\/durability\.md, rules? (\d+)(?: and (\d+))?/g), ([, ...numbers]) => numbers)
    )
    const numbers = cited.flat().flatMap(number => (number === undefined ? [] : [Number(number)]))
    expect(numbers.length).toBeGreaterThan(0)
    expect(numbers.filter(number => !rules.includes(number))).toEqual([])
  })

  test('tell of the version that package.json has, and of its licence', () => {
    expect(read('CHANGELOG.md')).toContain(`\n## ${manifest.version}\n`)
    expect(read('README.md')).toContain(`Version ${manifest.version}`)
    expect(read('LICENSE').split(' ')[0]).toBe(manifest.license)
  })

  test('tell of every option of open and connect what it is for, and of no other', () => {
    const tables = tablesOf('docs/options.md')
    const optionsUnder = (heading: string) =>
      (tables.get(heading) ?? []).flatMap(table => table.slice(1).map(([option = '']) => option.replaceAll('`', '')))
    expect(optionsUnder('Of open and connect').sort()).toEqual([...openNames].sort())
    const ofConnect = [...connectNames].filter(name => !openNames.has(name))
    expect(optionsUnder('Of connect').sort()).toEqual(ofConnect.sort())
  })

  test('tell of every error code what to do about it, and of no other', () => {
    const codes = (tablesOf('docs/operations.md').get('Errors') ?? []).flatMap(table =>
      table.slice(1).map(([code]) => code)
    )
    expect(codes.sort()).toEqual(lightningErrorCodes.map(code => `\`${code}\``).sort())
  })
})

describe('CONTRIBUTING.md', () => {
  test('describes every folder of the project and every folder of tests', () => {
    const described = [...tablesOf('CONTRIBUTING.md').values()].flat(2).map(([first = '']) => first)
    const folders = new Set(files.flatMap(path => /^(?:test\/)?[a-z]+\//.exec(path) ?? []))
    expect([...folders].filter(folder => !described.includes(`\`${folder}\``))).toEqual([])
  })
})

describe('the commands', () => {
  const commandOf = (script: string) =>
    script === 'start' || script === 'test' ? `npm ${script}` : `npm run ${script}`

  test('are all in CONTRIBUTING.md, and it has no others', () => {
    const table = tablesOf('CONTRIBUTING.md').get('Commands')?.[0] ?? []
    const documented = table.slice(1).map(([command]) => command)
    expect(documented.sort()).toEqual(
      Object.keys(manifest.scripts)
        .map(script => `\`${commandOf(script)}\``)
        .sort()
    )
  })

  test('that a document names exist', () => {
    const lost = documents.flatMap(document => {
      const named = read(document).matchAll(/\bnpm run ([\w:]+)|\bnpm (start|test)\b/g)
      const scripts = Array.from(named, ([, script, short = '']) => script ?? short)
      return scripts.filter(script => !(script in manifest.scripts)).map(script => `${document}: ${script}`)
    })
    expect(lost).toEqual([])
  })
})

describe('docs/dependencies.md', () => {
  const tables = tablesOf('docs/dependencies.md')
  const rowsUnder = (heading: string) => (tables.get(heading) ?? []).flatMap(table => table.slice(1))
  const named = (heading: string) =>
    rowsUnder(heading)
      .map(([name = '']) => name.replaceAll('`', ''))
      .sort()

  test('has every package of package.json, and no other', () => {
    expect(named('Run time')).toEqual(Object.keys(manifest.dependencies).sort())
    expect(named('Development')).toEqual(Object.keys(manifest.devDependencies).sort())
  })

  test('gives every package the licence that the package gives itself', () => {
    const wrong = [...rowsUnder('Run time'), ...rowsUnder('Development')].flatMap(([name = '', licence]) => {
      const path = `node_modules/${name.replaceAll('`', '')}/package.json`
      const { license }: { license?: string } = JSON.parse(read(path))
      return license === licence ? [] : [`${name}: ${license}, not ${licence}`]
    })
    expect(wrong).toEqual([])
  })

  test('gives every package a reason', () => {
    const rows = [...rowsUnder('Run time'), ...rowsUnder('Development')]
    expect(rows.filter(([, , reason = '']) => reason.length < 8)).toEqual([])
  })
})

describe('no file of the project', () => {
  const texts = files.filter(path => statSync(join(root, path)).size < 1 << 20 && !/\.(png|wasm|ldb)$/.test(path))
  const holding = (pattern: RegExp) => texts.filter(path => pattern.test(read(path)))

  test('holds a path of the machine it was written on', () => {
    expect(holding(/(?<![\w.-])\/(?:work|home|root|Users)\/[a-z]/)).toEqual([])
  })

  test('names a registry that packages were taken from, but the public one', () => {
    const urls = texts.flatMap(path =>
      [...read(path).matchAll(/https?:\/\/[\w.:-]*(?:npm|registry)[\w.:-]*/g)].map(String)
    )
    expect(
      urls.filter(url => !/^https:\/\/(?:registry\.npmjs\.org|www\.npmjs\.com|docs\.npmjs\.com)$/.test(url))
    ).toEqual([])
  })
})
