// What a page has to load: minified and gzipped, bundled from what is published. The bounds are what it takes now and a
// little more; docs/platforms.md says what was aimed at.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const kilobyte = 1_000
const browserBuild = fileURLToPath(new URL('../../dist/browser', import.meta.url))
const kernel = fileURLToPath(new URL('../../dist/kernel.wasm', import.meta.url))

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length

/** Bytes of each script that a page with this program consists of. The first is loaded at once, the others when needed. */
async function scripts(program: string): Promise<{ first: number; others: [string, number][] }> {
  const { outputFiles } = await build({
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
  const isFirst = (path: string): boolean => /stdin|chunk/.test(path)
  const sizes = outputFiles.map(file => [file.path, gzipped(file.contents)] as const)
  return {
    first: sizes.filter(([path]) => isFirst(path)).reduce((sum, [, bytes]) => sum + bytes, 0),
    others: sizes.filter(([path]) => !isFirst(path)).map(([path, bytes]) => [path, bytes])
  }
}

it('a worker that opens a database loads less than 80 kB with the kernel', async () => {
  const { first, others } = await scripts("export { open } from './index.js'")
  const inlined = others.find(([path]) => path.includes('wasm'))?.[1] ?? Number.NaN
  expect(first + inlined).toBeLessThan(80 * kilobyte)
  // As a file of its own the kernel is smaller.
  expect(gzipped(readFileSync(kernel))).toBeLessThan(inlined)
})

it('a page that connects loads less than 29 kB, and the owner less than 95 kB', async () => {
  const { first } = await scripts("export { connect } from './index.js'")
  expect(first).toBeLessThan(29 * kilobyte)
  expect(gzipped(readFileSync(`${browserBuild}/worker.js`))).toBeLessThan(95 * kilobyte)
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
