// Says which entry could not be decoded: when a step of an iterator throws, the caller has no key.
import { keyText } from '../engine/key-text.ts'
import { isLightningError, LightningError } from '../errors.ts'

/** Adds the key to an error about decoding; returns other errors as they are. */
export function underKey(error: unknown, key: Uint8Array): unknown {
  if (!isLightningError(error, 'LIGHTNING_DECODE')) return error
  const from = key.slice()
  const to = new Uint8Array(key.length + 1)
  to.set(key)
  const message = `${error.message} They stand under the key ${keyText(from)}.`
  return new LightningError('LIGHTNING_DECODE', message, { cause: error.cause, keyRange: { from, to } })
}
