// Messages as bytes: a frame's head is a MessagePack array of messages, each an array itself. A byte string of
// `leastPartBytes` or more travels beside the head as a part; a bigint, which the protocol uses for nothing else,
// stands for it in the message.

import { MsgpackEncoding } from '../encoding/msgpack-encoding.ts'
import { LightningError } from '../errors.ts'
import type { Frame } from './channel.ts'
import { isAcceptable } from './frame-parser.ts'

/** A message: numbers, text, bytes, booleans, `undefined`, arrays of those. */
export type Message = readonly unknown[]

/** Up to here copying costs less than handing over. */
const leastPartBytes = 16_384
/** A frame is ended by the message that takes it over this: the other end need not have more at a time. */
const enoughBytes = 1_048_576

/** Encodes and decodes frames. It has buffers of its own: one for each end of a channel. */
export class MessageCoder {
  readonly #encoding = new MsgpackEncoding()

  /** Byte strings in the messages must belong to the caller, who does not use them afterwards. */
  encode(messages: readonly Message[]): Frame {
    const parts: Uint8Array[] = []
    const head = this.#encoding.encode(messages.map(message => extractParts(message, parts)))
    return { head, parts }
  }

  /**
   * The same as frames of moderate size, in order. What cannot be sent, or is too large for a frame, is left out:
   * `refuse` is told which and why, and may give another in its place.
   */
  *frames<M extends Message>(messages: readonly M[], refuse: (message: M, error: unknown) => Message | undefined) {
    for (const group of groupsOf(messages)) {
      let frame: Frame | undefined
      try {
        frame = this.encode(group)
      } catch {
        // One of them is to blame, and the others must not suffer.
      }
      if (frame === undefined || !isAcceptable(frame)) {
        frame = this.encode(group.map(message => this.#sendable(message, refuse)).filter(each => each !== undefined))
      }
      yield frame
    }
  }

  #sendable<M extends Message>(message: M, refuse: (message: M, error: unknown) => Message | undefined) {
    try {
      if (isAcceptable(this.encode([message]))) return message
      return refuse(message, tooLarge())
    } catch (error) {
      return refuse(message, error)
    }
  }

  /** Throws `LIGHTNING_INVALID_ARGUMENT` for what is no frame of messages. */
  decode({ head, parts }: Frame): readonly Message[] {
    let decoded: unknown
    try {
      decoded = this.#encoding.read(head, 0, head.length)
    } catch (cause) {
      throw malformed('the bytes of a frame are not MessagePack', cause)
    }
    if (!Array.isArray(decoded)) throw malformed('a frame is not a list of messages')
    return decoded.map(message => {
      if (!Array.isArray(message)) throw malformed('a message is not a list')
      return parts.length === 0 ? message : restoreParts(message, parts)
    })
  }
}

/** About how many bytes a message becomes. */
export function bytesOf(message: Message): number {
  let bytes = 8
  for (const field of message) {
    if (field instanceof Uint8Array || typeof field === 'string') bytes += 8 + field.length
    else if (Array.isArray(field)) bytes += bytesOf(field)
    else bytes += 8
  }
  return bytes
}

function* groupsOf<M extends Message>(messages: readonly M[]): Generator<readonly M[]> {
  let from = 0
  let bytes = 0
  for (const [i, message] of messages.entries()) {
    bytes += bytesOf(message)
    if (bytes < enoughBytes) continue
    yield messages.slice(from, i + 1)
    from = i + 1
    bytes = 0
  }
  if (from < messages.length) yield from === 0 ? messages : messages.slice(from)
}

function tooLarge(): LightningError {
  const message = 'What one call sends or asks for is too large to be sent at once. Do it in parts.'
  return new LightningError('LIGHTNING_INVALID_ARGUMENT', message)
}

/** The error for what the other end should not have sent. */
export function malformed(what: string, cause?: unknown): LightningError {
  return new LightningError(
    'LIGHTNING_INVALID_ARGUMENT',
    `What came over the connection is not the protocol of Lightning DB: ${what}. Use the same version on both sides.`,
    { cause }
  )
}

function extractParts(message: Message, parts: Uint8Array[]): Message {
  let replaced: unknown[] | undefined
  for (let i = 0; i < message.length; i++) {
    const field = message[i]
    let replacement: unknown
    if (field instanceof Uint8Array && field.length >= leastPartBytes) {
      replacement = BigInt(parts.length)
      parts.push(field)
    } else if (Array.isArray(field)) {
      replacement = extractParts(field, parts)
      if (replacement === field) continue
    } else continue
    replaced ??= [...message]
    replaced[i] = replacement
  }
  return replaced ?? message
}

function restoreParts(message: readonly unknown[], parts: readonly Uint8Array[]): readonly unknown[] {
  return message.map(field => {
    if (typeof field === 'bigint') {
      const part = parts[Number(field)]
      if (part === undefined) throw malformed(`there is no part ${field}`)
      return part
    }
    return Array.isArray(field) ? restoreParts(field, parts) : field
  })
}
