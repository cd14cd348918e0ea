import { wasmBase64 } from './generated/wasm.ts'

/** The kernel's module in base64 that comes along with the package. */
export async function bundledBytes(): Promise<string> {
  return wasmBase64
}
