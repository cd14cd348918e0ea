// Kernels whose memory stops growing. For the WebAssembly build the module's own maximum is made smaller; the JavaScript
// build asks for an `ArrayBuffer`, and gets none at the moments that are chosen.
import { bundledBytes } from '../../src/kernel/bundled-bytes.ts'

/** Bytes of WebAssembly's unit of memory. */
export const unitBytes = 65_536

/** The bundled kernel with at most `units` units of memory. */
export async function boundedModule(units: number): Promise<WebAssembly.Module> {
  const bytes = await bundledBytes()
  if (bytes === undefined) throw new Error('There is no bundled kernel.')
  const at = memorySection(bytes)
  // flags, least, most: numbers of seven bits a byte. The most is written with as many bytes as it had.
  let place = at + 1
  while ((bytes[place] ?? 0) >= 0x80) place++
  place++
  for (let rest = units; ; place++, rest >>>= 7) {
    const goesOn = (bytes[place] ?? 0) >= 0x80
    bytes[place] = (rest & 0x7f) | (goesOn ? 0x80 : 0)
    if (!goesOn) return WebAssembly.compile(bytes)
  }
}

/** Where the flags of the only memory stand. */
function memorySection(bytes: Uint8Array): number {
  const memory = 5
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++]
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      size |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (id === memory) {
      if (bytes[at + 1] !== 1) break
      return at + 1
    }
    at += size
  }
  throw new Error('The kernel has no memory of the expected kind.')
}

/**
 * Runs `use` while the JavaScript build gets no more than `units` units; after so many refusals it gets all it asks for.
 */
export async function withBoundedMemory(units: number, refusals: number, use: () => Promise<void>): Promise<void> {
  const Original = globalThis.ArrayBuffer
  let left = refusals
  globalThis.ArrayBuffer = new Proxy(Original, {
    construct(target, parameters, newTarget) {
      const [bytes] = parameters
      if (typeof bytes === 'number' && bytes > units * unitBytes && bytes % unitBytes === 0 && left-- > 0) {
        throw new RangeError('Array buffer allocation failed')
      }
      return Reflect.construct(target, parameters, newTarget)
    }
  })
  try {
    await use()
  } finally {
    globalThis.ArrayBuffer = Original
  }
}
