// What `platform.ts` uses of AssemblyScript beyond TypeScript, so that an ordinary type check reads it too.
// Nothing here exists in the JavaScript build: it takes `platform.jsbuild.ts` instead.
type u8 = number
type u16 = number
type u64 = number

declare function inline(target: unknown, context: unknown): void
declare function load<T>(pointer: u32, offset?: u32, alignment?: u32): T
declare function store<T>(pointer: u32, value: T, offset?: u32, alignment?: u32): void
declare function rotl<T>(value: T, bits: T): T
declare function bswap<T>(value: T): T
declare function clz<T>(value: T): T
declare function ctz<T>(value: T): T
declare namespace memory {
  function copy(to: u32, from: u32, bytes: u32): void
  function fill(at: u32, byte: u8, bytes: u32): void
  function size(): i32
  function grow(units: i32): i32
}

/**
 * Number of the planted bug that this build carries, 0 for none. The tests of the tests build kernels with others
 * (`node scripts/build-kernel.mjs --use PLANTED_BUG=3 --out …`); a constant, so the branches vanish from a good build.
 */
declare const PLANTED_BUG: u32

/** The one thing of its host that the JavaScript build uses beyond the language. */
declare function structuredClone<T>(value: T, options: { transfer: ArrayBuffer[] }): T
