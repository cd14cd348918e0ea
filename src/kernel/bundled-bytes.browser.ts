import { bytesFromBase64 } from './base64.ts'
import { onDemand } from './on-demand.ts'

/**
 * As in `bundled-bytes.ts`, but loaded only when asked for, since a page that names a kernel of its own never needs it,
 * and deflated, which is a quarter less to load. Undefined in browsers that are older than `DecompressionStream`.
 */
export async function bundledBytes(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (typeof DecompressionStream === 'undefined') return undefined
  const { packedWasmBase64, wasmByteLength } = await onDemand('open', () => import('./generated/packed-wasm.ts'))
  return await inflated(bytesFromBase64(packedWasmBase64), wasmByteLength)
}

/** Without a `Blob` or `Response` on the way: Chromium has another process handle those, which takes ten times as long. */
async function inflated(packed: Uint8Array<ArrayBuffer>, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(packed)
      controller.close()
    }
  })
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  const bytes = new Uint8Array(byteLength)
  let filled = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes.set(part.value, filled)
    filled += part.value.length
  }
  return bytes
}
