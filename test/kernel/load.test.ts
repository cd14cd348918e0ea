import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import { type Kernel, loadKernel } from '../../src/kernel/load.ts'

const file = new URL('../../build/kernel/kernel.wasm', import.meta.url)
const bytes = readFileSync(file)

afterEach(() => vi.unstubAllGlobals())

/** XXH32 of nothing: shows that a kernel computes. */
const expectWorking = ({ exports }: Kernel) => expect(exports.xxh32(0, 0, 0) >>> 0).toBe(0x02cc5d05)

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof LightningError ? error.code : `not a LightningError: ${error}`)
  )

describe('loadKernel', () => {
  test.each([
    ['nothing', undefined],
    ['bytes', bytes],
    ['an ArrayBuffer', new Uint8Array(bytes).buffer],
    ['a module', new WebAssembly.Module(bytes)],
    ['a URL', file],
    ['a URL as text', file.href],
    ['a data URL', `data:application/wasm;base64,${bytes.toString('base64')}`]
  ])('runs WASM when given %s', async (_, source) => {
    const kernel = await loadKernel(source)
    expectWorking(kernel)
    if (source !== undefined) expect(kernel.build).toBe('wasm')
    expect(kernel.memory().byteLength % 65536).toBe(0)
  })

  test("runs the JavaScript build when told 'off'", async () => {
    const kernel = await loadKernel('off')
    expect(kernel.build).toBe('javascript')
    expectWorking(kernel)
  })

  test.each([undefined, 'off' as const])('gives every caller a memory of its own (%s)', async source => {
    const [one, other] = [await loadKernel(source), await loadKernel(source)]
    new Uint8Array(one.memory())[70_000] = 1
    expect(new Uint8Array(other.memory())[70_000]).toBe(0)
  })

  test('has the same functions in both builds', async () => {
    const javascript = await loadKernel('off')
    const wasm = await loadKernel(bytes)
    const functions = Object.entries(wasm.exports).filter(([, value]) => typeof value === 'function')
    expect(functions.length).toBeGreaterThan(40)
    for (const [name] of functions) expect(javascript.exports).toHaveProperty(name, expect.any(Function))
  })

  test('falls back to the JavaScript build where there is no WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined)
    const kernel = await loadKernel()
    expect(kernel.build).toBe('javascript')
    expectWorking(kernel)
  })

  test.each([
    ['Chromium', () => new WebAssembly.CompileError('Refused to compile or instantiate WebAssembly module')],
    ['others', () => new EvalError('call to WebAssembly.compile() blocked by CSP')]
  ])('falls back to it where a content-security policy forbids WebAssembly, as %s says it', async (_, refusal) => {
    vi.stubGlobal('WebAssembly', forbidding(refusal))
    const kernel = await loadKernel(bytes)
    expect(kernel.build).toBe('javascript')
    expectWorking(kernel)
  })

  test.each([
    ['bytes that are no module', new Uint8Array([1, 2, 3])],
    ['no bytes', new Uint8Array(0)],
    ['a file that is not there', new URL('./absent.wasm', file)],
    ['text that is no URL', 'on'],
    ['a file that is no module', new URL(import.meta.url)],
    ['a module that is not a kernel', new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))]
  ])('refuses %s', async (_, source) => {
    await expect(loadKernel(source)).rejects.toMatchObject({
      code: 'LIGHTNING_INVALID_ARGUMENT',
      message: expect.stringMatching(/^[A-Z].*option wasm, or leave it out\.$/)
    })
  })

  test('refuses a kernel that was built from other sources, though it has the same functions', async () => {
    const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name)
    const mark = names.find(name => /^sources[0-9a-f]{8}$/.test(name)) ?? ''
    const stale = Buffer.from(bytes)
    stale.write('sourcesffffffff', stale.indexOf(mark), 'latin1')
    await expect(loadKernel(stale)).rejects.toMatchObject({
      code: 'LIGHTNING_INVALID_ARGUMENT',
      message: expect.stringMatching(/^This is not the kernel of this version of Lightning DB\./)
    })
  })

  test('says so when there is no room for the memory', async () => {
    const Instance = function Instance() {
      throw new RangeError('could not allocate memory')
    }
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Instance }))
    expect(await codeOf(loadKernel(bytes))).toBe('LIGHTNING_OUT_OF_MEMORY')
  })
})

function forbidding(refusal: () => Error): typeof WebAssembly {
  return Object.assign(Object.create(WebAssembly), { compile: () => Promise.reject(refusal()) })
}
