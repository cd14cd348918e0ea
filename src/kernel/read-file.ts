/** The content of a file that a `file:` URL names. */
export async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const files = await import('node:fs/promises')
  return await files.readFile(url)
}
