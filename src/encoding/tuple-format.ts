// The bytes of tuple keys. An element is a tag and a body, in the order in which keys sort:
//
//   10                      null
//   20 | 21                 false | true
//   30 <8 bytes>            number: float64, big-endian, all bits flipped if negative, else the sign bit
//   38                      kept for bigint
//   40 <8 bytes>            Date: its milliseconds since 1970 as a number
//   50 <text> 00            string: UTF-8, escaped
//   60 <bytes> 00           bytes, escaped
//   70 <elements> 00        array
//
// Escaped: 00 becomes 01 01 and 01 becomes 01 02, so 00 is only ever an end and the order stays. The end sorts before
// everything else, so what is shorter comes first. No element's bytes begin another's, hence prefixes by elements.
//
// A key is one element; an array at the top has no end byte, so the bytes of ['a'] are exactly the prefix of ['a', 1].

export const nullTag = 0x10
export const falseTag = 0x20
export const trueTag = 0x21
export const numberTag = 0x30
/** Between numbers and dates; not written yet. */
export const bigintTag = 0x38
export const dateTag = 0x40
export const stringTag = 0x50
export const bytesTag = 0x60
export const arrayTag = 0x70

/** Ends strings, bytes and arrays. */
export const endByte = 0x00
/** Stands before what would otherwise be an end byte or an escape. */
export const escapeByte = 0x01

/** Arrays inside arrays inside arrays: at most so many. */
export const largestTupleDepth = 128

/** The largest distance of a Date from 1970, in milliseconds. */
export const largestDateMs = 8.64e15
