// The kernel's exports as TypeScript sees them, derived from the kernel's own index so that they cannot disagree.
import type * as index from '../../assembly/index.ts'

/** What a kernel function becomes at the border: a bool arrives as 0 or 1 from WASM and as a boolean from JavaScript. */
type AtBorder<F> = F extends (...args: infer A) => infer R
  ? (...args: A) => R extends boolean ? boolean | number : R
  : never

/**
 * Every function of the kernel. A u32 result of 2^31 or more arrives negative from the WASM build: make addresses and
 * checksums unsigned with `>>> 0`. Constants are not here: import them from the kernel's sources.
 */
export type KernelExports = {
  readonly [Name in keyof typeof index as (typeof index)[Name] extends (...args: never) => unknown
    ? Name
    : never]: AtBorder<(typeof index)[Name]>
}

/** What the JavaScript build exports beside the kernel's functions. */
export interface JavaScriptKernel extends KernelExports {
  /** The memory as it is now; a growth replaces it. */
  currentMemory(): ArrayBuffer
  /** Runs the kernel over this memory from now on. */
  attach(memory: ArrayBuffer): void
}
