import { copyBytes } from './bytes.ts'
import type { TupleKey } from './encoding.ts'
import { undecodable } from './failure.ts'
import { NumberReader } from './number-reader.ts'
import { readText } from './text.ts'
import {
  arrayTag,
  bytesTag,
  dateTag,
  endByte,
  escapeByte,
  falseTag,
  largestDateMs,
  largestTupleDepth,
  nullTag,
  numberTag,
  stringTag,
  trueTag
} from './tuple-format.ts'

/** Reads tuple keys (see tuple-format.ts). Only what the writer writes is accepted: every key has one form. */
export class TupleReader {
  readonly #numbers = new NumberReader()
  #source: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0

  /** Throws `LIGHTNING_DECODE`. */
  read(source: Uint8Array, start: number, end: number): TupleKey {
    this.#source = source
    this.#at = start
    this.#end = end
    if (start < end && source[start] === arrayTag) {
      this.#at++
      return this.#elementsToEnd()
    }
    const key = this.#element(0)
    if (this.#at !== end) throw damaged('bytes follow the key')
    return key
  }

  #elementsToEnd(): TupleKey[] {
    const elements: TupleKey[] = []
    while (this.#at < this.#end) elements.push(this.#element(1))
    return elements
  }

  #element(depth: number): TupleKey {
    const tag = this.#byte()
    switch (tag) {
      case nullTag:
        return null
      case falseTag:
        return false
      case trueTag:
        return true
      case numberTag:
        return this.#float()
      case dateTag:
        return this.#date()
      case stringTag:
        return this.#string()
      case bytesTag:
        return this.#bytes()
      case arrayTag:
        return this.#array(depth + 1)
      default:
        throw damaged(`no element has the tag 0x${tag.toString(16)}`)
    }
  }

  #array(depth: number): TupleKey[] {
    if (depth > largestTupleDepth) throw damaged('its arrays are nested too deep')
    const elements: TupleKey[] = []
    while (this.#at < this.#end && this.#source[this.#at] !== endByte) elements.push(this.#element(depth))
    if (this.#byte() !== endByte) throw damaged('an array has no end')
    return elements
  }

  #date(): Date {
    const ms = this.#float()
    if (!Number.isInteger(ms) || Math.abs(ms) > largestDateMs) throw damaged('a date is out of range')
    return new Date(ms)
  }

  #float(): number {
    if (this.#end - this.#at < 8) throw damaged('a number is cut off')
    const value = this.#numbers.ordered(this.#source, this.#at)
    this.#at += 8
    if (Number.isNaN(value) || Object.is(value, -0)) throw damaged('a number is none that is written')
    return value
  }

  #string(): string {
    const start = this.#at
    const escapes = this.#skipToEnd()
    if (escapes === 0) return readText(this.#source, start, this.#at - 1)
    const text = this.#unescaped(start, this.#at - 1, escapes)
    return readText(text, 0, text.length)
  }

  #bytes(): Uint8Array {
    const start = this.#at
    const escapes = this.#skipToEnd()
    if (escapes === 0) return copyBytes(this.#source, start, this.#at - 1)
    return this.#unescaped(start, this.#at - 1, escapes)
  }

  /** Goes behind the next end byte and returns the number of escapes before it. */
  #skipToEnd(): number {
    let escapes = 0
    while (this.#at < this.#end) {
      const byte = this.#source[this.#at++] ?? endByte
      if (byte === endByte) return escapes
      if (byte !== escapeByte) continue
      const escaped = this.#at < this.#end ? (this.#source[this.#at++] ?? 0) : 0
      if (escaped !== 1 && escaped !== 2) throw damaged('an escape is none that is written')
      escapes++
    }
    throw damaged('a string has no end')
  }

  #unescaped(start: number, end: number, escapes: number): Uint8Array {
    const source = this.#source
    const bytes = new Uint8Array(end - start - escapes)
    for (let i = 0, at = start; i < bytes.length; i++) {
      const byte = source[at++] ?? 0
      bytes[i] = byte === escapeByte ? (source[at++] ?? 1) - 1 : byte
    }
    return bytes
  }

  #byte(): number {
    if (this.#at >= this.#end) throw damaged('it ends too early')
    return this.#source[this.#at++] ?? 0
  }
}

function damaged(what: string): Error {
  return undecodable(`The stored bytes are no tuple key: ${what}. Read them with the encoding they were written with.`)
}
