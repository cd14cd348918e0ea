/** As in `bundled-bytes.ts`, but loaded only when asked for: a page that names a kernel of its own never fetches it. */
export async function bundledBytes(): Promise<string> {
  return (await import('./generated/wasm.ts')).wasmBase64
}
