import { readFileSync } from 'node:fs'
import { instantiateSync } from '@assemblyscript/loader'
import type { KernelExports } from '../../src/kernel/exports.ts'
import { createJavaScriptKernel } from '../../src/kernel/generated/javascript.ts'

/** One build of the kernel with memory to spare, for tests that call its functions directly. */
export interface BareKernel {
  readonly name: string
  readonly exports: KernelExports
  readonly bytes: Uint8Array
}

/** Room for tests starts here, above anything that the kernel keeps for itself at the start of its memory. */
export const room = 1 << 20

const wasmModule = new WebAssembly.Module(readFileSync(new URL('../../build/kernel/kernel.wasm', import.meta.url)))

/** Both builds, fresh, with `roomBytes` of memory from `room` on. */
export function bothBuilds(roomBytes: number): [BareKernel, BareKernel] {
  return [wasmKernel(roomBytes), javaScriptKernel(roomBytes)]
}

export function wasmKernel(roomBytes: number): BareKernel {
  const { exports } = instantiateSync<KernelExports & Record<string, unknown>>(wasmModule)
  const memory = exports.memory
  if (memory === undefined) throw new Error('the kernel exports no memory')
  memory.grow(units(roomBytes))
  return { name: 'WASM', exports, bytes: new Uint8Array(memory.buffer) }
}

export function javaScriptKernel(roomBytes: number): BareKernel {
  const kernel = createJavaScriptKernel()
  const before = kernel.currentMemory()
  const memory = new ArrayBuffer(before.byteLength + units(roomBytes) * 65536)
  new Uint8Array(memory).set(new Uint8Array(before))
  kernel.attach(memory)
  return { name: 'JavaScript', exports: kernel, bytes: new Uint8Array(memory) }
}

function units(roomBytes: number): number {
  return Math.ceil((room + roomBytes) / 65536)
}
