/** The bytes that `text` stands for, which is well formed. */
export function bytesFromBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  // Not Uint8Array.from: walking the text by its iterator takes milliseconds when a page has just begun.
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}
