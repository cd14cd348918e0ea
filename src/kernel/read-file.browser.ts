/** Pages read no files. */
export async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  throw new Error(`${url} cannot be read in a browser`)
}
