// Which entry it was that could not be decoded: whoever iterates has no key in hand when a step throws.
import { keyText } from '../engine/key-text.ts'
import { isLightningError, LightningError } from '../errors.ts'

/** The same error with the key that the bytes stand under; errors that are not about decoding as they are. */
export function underKey(error: unknown, key: Uint8Array): unknown {
  if (!isLightningError(error, 'LIGHTNING_DECODE')) return error
  const from = key.slice()
  const to = new Uint8Array(key.length + 1)
  to.set(key)
  const message = `${error.message} They stand under the key ${keyText(from)}.`
  return new LightningError('LIGHTNING_DECODE', message, { cause: error.cause, keyRange: { from, to } })
}
