// What a page has to load: minified and gzipped, bundled from what is published. The bounds are what it takes now and a
// little more; docs/platforms.md says what was aimed at.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const kilobyte = 1_000
const browserBuild = fileURLToPath(new URL('../../dist/browser', import.meta.url))
const kernel = fileURLToPath(new URL('../../dist/kernel.wasm', import.meta.url))

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length

interface Scripts {
  /** Bytes of what is loaded at once: the program and what it imports. */
  readonly first: number
  /** Bytes of the scripts that are loaded when they are needed, by the names of what they are made from. */
  later(name: string): number
}

/** The scripts that a page with this program consists of. */
async function scripts(program: string): Promise<Scripts> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: browserBuild },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    write: false,
    metafile: true,
    outdir: '/',
    legalComments: 'none'
  })
  const sizes = new Map(outputFiles.map(file => [basename(file.path), gzipped(file.contents)]))
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output] as const)
  const atOnce = new Set(['stdin.js'])
  // A set visits what is added while it is walked.
  for (const name of atOnce) {
    for (const { path, kind } of outputs.find(([other]) => other === name)?.[1].imports ?? []) {
      if (kind === 'import-statement') atOnce.add(basename(path))
    }
  }
  const sizeOf = (name: string | undefined): number => sizes.get(name ?? '') ?? Number.NaN
  return {
    first: [...atOnce].reduce((sum, name) => sum + sizeOf(name), 0),
    later: name => sizeOf([...sizes.keys()].find(other => other.startsWith(name) && !atOnce.has(other)))
  }
}

it('a worker that opens a database loads less than 79 kB with the kernel', async () => {
  const { first, later } = await scripts("export { open } from './index.js'")
  const inlined = later('packed-wasm')
  expect(first + inlined).toBeLessThan(79 * kilobyte)
  // Base64 costs nothing on the way when what it stands for is deflated before, and better than gzip does.
  expect(inlined).toBeLessThan(gzipped(readFileSync(kernel)))
})

it.each(['verify', 'compact', 'backup', 'restore', 'repair', 'memory', 'value-cache'])(
  'what only %s needs is loaded by those who use it',
  async name => {
    const { later } = await scripts("export { open, repair, restore } from './index.js'")
    expect(later(name)).toBeGreaterThan(0)
  }
)

it('a page that connects loads less than 27 kB, and the owner less than 94.5 kB; as one file 108.5 kB', async () => {
  const { first, later } = await scripts("export { connect } from './index.js'")
  expect(first).toBeLessThan(27 * kilobyte)
  expect(later('tab-worker-source')).toBeLessThan(94.5 * kilobyte)
  expect(later('tab-kernel-source')).toBeLessThan(17 * kilobyte)
  expect(gzipped(readFileSync(`${browserBuild}/worker.js`))).toBeLessThan(108.5 * kilobyte)
})

it('nothing of Node gets into it, and nothing has to be resolved', async () => {
  const { metafile } = await build({
    entryPoints: [`${browserBuild}/index.js`],
    bundle: true,
    write: false,
    splitting: true,
    format: 'esm',
    outdir: '/',
    metafile: true
  })
  const imported = Object.values(metafile.outputs).flatMap(output => output.imports)
  expect(imported.filter(({ external }) => external === true)).toEqual([])
})
