import { bytesFromBase64 } from './base64.ts'
import { wasmBase64 } from './generated/wasm.ts'

/** The kernel's module that comes along with the package; undefined where it cannot be unpacked. */
export async function bundledBytes(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return bytesFromBase64(wasmBase64)
}
