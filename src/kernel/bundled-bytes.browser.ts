import { bytesFromBase64 } from './base64.ts'
import { onDemand } from './on-demand.ts'

/**
 * As in `bundled-bytes.ts`, but loaded only when asked for, since a page that names a kernel of its own never needs it,
 * and deflated, which is a quarter less to load. Undefined in browsers that are older than `DecompressionStream`.
 */
export async function bundledBytes(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (typeof DecompressionStream === 'undefined') return undefined
  const { packedWasmBase64 } = await onDemand('open', () => import('./generated/packed-wasm.ts'))
  const packed = new Blob([bytesFromBase64(packedWasmBase64)])
  const unpacked = new Response(packed.stream().pipeThrough(new DecompressionStream('deflate')))
  return new Uint8Array(await unpacked.arrayBuffer())
}
