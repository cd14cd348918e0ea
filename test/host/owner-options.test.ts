// What the thread that owns a database is started with.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseOpenOptions } from '../../src/db/options.ts'
import { type OwnerOptions, ownerOptionsOf } from '../../src/host/owner-options.ts'

afterEach(() => vi.unstubAllGlobals())

const cloned = (wasm: URL | Uint8Array<ArrayBuffer> | string): OwnerOptions =>
  structuredClone(ownerOptionsOf(parseOpenOptions({ wasm, valueEncoding: 'json', logger: console })))

describe('the options of an owner', () => {
  it('reach its thread, with the kernel as bytes, by its name or by its URL', () => {
    expect(cloned(Uint8Array.of(1)).wasm).toEqual(Uint8Array.of(1))
    expect(cloned('off').wasm).toBe('off')
    expect(cloned(new URL('file:///kernel.wasm')).wasm).toBe('file:///kernel.wasm')
  })

  it('name the kernel as the page of the client does, whatever the address of their script', () => {
    vi.stubGlobal('location', { href: 'https://example.org/app/index.html' })
    expect(cloned('kernel.wasm').wasm).toBe('https://example.org/app/kernel.wasm')
    expect(cloned('off').wasm).toBe('off')
  })

  it('leave it to the owner to refuse what is no URL', () => {
    expect(cloned('on').wasm).toBe('on')
  })
})
