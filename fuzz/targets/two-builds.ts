// Both builds of the kernel, side by side: whatever the bytes are, they must answer the same.
import { IMAGE, OK } from '../../assembly/state.ts'
import type { KernelExports } from '../../src/kernel/exports.ts'
import { KernelMemory } from '../../src/kernel/kernel-memory.ts'
import { loadKernel } from '../../src/kernel/load.ts'
import { expectThat } from '../fuzzer/target.ts'

export interface Build {
  readonly name: 'wasm' | 'javascript'
  readonly exports: KernelExports
  readonly memory: KernelMemory
}

/** The counted build first. */
export async function bothBuilds(pageBytes = 4_096, frames = 64): Promise<readonly [Build, Build]> {
  return [await makeBuild('javascript', pageBytes, frames), await makeBuild('wasm', pageBytes, frames)]
}

async function makeBuild(name: Build['name'], pageBytes: number, frames: number): Promise<Build> {
  const kernel = await loadKernel(name === 'wasm' ? undefined : 'off')
  const memory = new KernelMemory(kernel)
  expectThat(kernel.exports.setUp(pageBytes, frames) === OK, 'there is memory for a kernel')
  return { name, exports: kernel.exports, memory }
}

/** Where bytes for a call may be put: an area of a mebibyte. */
export function areaOf({ memory }: Build): number {
  return memory.word(IMAGE)
}
