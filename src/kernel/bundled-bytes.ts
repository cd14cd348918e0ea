import { nodeBuffer } from '../encoding/node-buffer.ts'
import { bytesFromBase64 } from './base64.ts'
import { wasmBase64 } from './generated/wasm.ts'

/** The kernel's module that comes along with the package; undefined where it cannot be unpacked. */
export async function bundledBytes(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // A loop over all characters would take milliseconds, since code that runs once is interpreted.
  return nodeBuffer?.from(wasmBase64, 'base64') ?? bytesFromBase64(wasmBase64)
}
