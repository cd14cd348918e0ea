// Messages as bytes: a frame's head is a MessagePack array of messages, each an array itself. A byte string of
// `leastPartBytes` or more travels beside the head as a part; a bigint, which the protocol uses for nothing else,
// stands for it in the message.

import { ByteSlab } from '../encoding/byte-slab.ts'
import { MsgpackReader } from '../encoding/msgpack-reader.ts'
import { MsgpackWriter } from '../encoding/msgpack-writer.ts'
import { LightningError } from '../errors.ts'
import type { Frame } from './channel.ts'
import { isAcceptable } from './frame-parser.ts'

/** A message: numbers, text, bytes, booleans, `undefined`, arrays of those. */
export type Message = readonly unknown[]

/** Told which message cannot be sent, and why; may give another in its place. */
export type Refuse<M extends Message> = (message: M, error: unknown) => Message | undefined

/** Up to here copying costs less than handing over. */
const leastPartBytes = 16_384
/** A frame is ended by the message that takes it over this: the other end need not have more at a time. */
const enoughBytes = 1_048_576
/** The head's own head: an array whose length has 32 bits, for it is known last. */
const arrayTag = 0xdd
const headBytes = 5

/**
 * Encodes and decodes frames. It has buffers of its own: one for each end of a channel. Byte strings of up to 1 KiB that
 * it decodes share slabs (`ByteSlab`).
 */
export class MessageCoder {
  readonly #writer = new MsgpackWriter()
  readonly #slab = new ByteSlab()
  readonly #reader = new MsgpackReader((source, start, end) => this.#slab.copy(source, start, end))
  /** What is being made: its messages stand in the writer. */
  #count = 0
  #parts: Uint8Array[] = []
  #partBytes = 0

  /** Byte strings in the messages must belong to the caller, who does not use them afterwards. */
  encode(messages: readonly Message[]): Frame {
    this.#begin()
    for (const message of messages) this.#append(message)
    return this.#end()
  }

  /**
   * The same as frames of moderate size, in order. What cannot be sent, or is too large for a frame, is left out:
   * `refuse` is told which and why, and may give another in its place. All of them must be taken before the next are
   * asked for.
   */
  *frames<M extends Message>(messages: readonly M[], refuse: Refuse<M>): Generator<Frame, void> {
    this.#begin()
    for (const message of messages) {
      let refusal = this.#tryAppend(message)
      // It may be the rest of the frame that leaves no room.
      if (refusal !== undefined && this.#count > 0) {
        yield this.#end()
        this.#begin()
        refusal = this.#tryAppend(message)
      }
      if (refusal !== undefined) {
        const other = refuse(message, refusal.error)
        if (other !== undefined) this.#append(other)
      }
      if (this.#writer.out.length + this.#partBytes < enoughBytes) continue
      yield this.#end()
      this.#begin()
    }
    if (this.#count > 0) yield this.#end()
  }

  /** Throws `LIGHTNING_INVALID_ARGUMENT` for what is no frame of messages. */
  decode({ head, parts }: Frame): readonly Message[] {
    let decoded: unknown
    try {
      decoded = this.#reader.read(head, 0, head.length)
    } catch (cause) {
      throw malformed('the bytes of a frame are not MessagePack', cause)
    }
    if (!Array.isArray(decoded)) throw malformed('a frame is not a list of messages')
    for (const message of decoded) if (!Array.isArray(message)) throw malformed('a message is not a list')
    return parts.length === 0 ? decoded : decoded.map(message => restoreParts(message, parts))
  }

  #begin(): void {
    const { out } = this.#writer
    out.clear()
    out.byte(arrayTag)
    out.uint32(0)
    this.#count = 0
    this.#parts = []
    this.#partBytes = 0
  }

  #end(): Frame {
    const { out } = this.#writer
    out.setUint32(headBytes - 4, this.#count)
    return { head: out.take(), parts: this.#parts }
  }

  #append(message: Message): void {
    const before = this.#parts.length
    this.#writer.append(extractParts(message, this.#parts))
    for (let i = before; i < this.#parts.length; i++) this.#partBytes += this.#parts[i]?.length ?? 0
    this.#count++
  }

  /** Adds a message; if that is impossible, says why, and nothing has changed. */
  #tryAppend(message: Message): { readonly error: unknown } | undefined {
    const { out } = this.#writer
    const parts = this.#parts
    const [length, count, partCount, partBytes] = [out.length, this.#count, parts.length, this.#partBytes]
    let error: unknown
    try {
      this.#append(message)
      if (isAcceptable(out.length, parts)) return undefined
      error = tooLarge()
    } catch (cause) {
      error = cause instanceof RangeError ? tooLarge() : cause
    }
    out.length = length
    parts.length = partCount
    this.#count = count
    this.#partBytes = partBytes
    return { error }
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
