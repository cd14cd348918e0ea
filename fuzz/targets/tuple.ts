// Keys of the encoding 'tuple', and text: what decodes is what the encoder writes, byte by byte.
import { TupleEncoding } from '../../src/encoding/tuple-encoding.ts'
import { compareBytes } from '../../src/encoding/bytes.ts'
import { Utf8Encoding } from '../../src/encoding/utf8-encoding.ts'
import { expectThat, expectTyped, sameBytes, type Target, type TargetEntry } from '../fuzzer/target.ts'

const tuple = new TupleEncoding()
const utf8 = new Utf8Encoding()

function checkText(input: Uint8Array): void {
  try {
    const text = utf8.read(input, 0, input.length)
    expectThat(sameBytes(utf8.encode(text), input), 'text that can be read is written as it was')
  } catch (error) {
    expectTyped(error, ['LIGHTNING_DECODE'])
  }
}

function run(input: Uint8Array): void {
  checkText(input)
  try {
    const key = tuple.read(input, 0, input.length)
    const again = tuple.encode(key)
    expectThat(sameBytes(again, input), 'a key has one form')
    if (Array.isArray(key)) {
      const longer = tuple.encode([...key, null])
      expectThat(compareBytes(again, longer) < 0, 'a longer array comes later')
      expectThat(sameBytes(longer.subarray(0, input.length), input), 'an array is the prefix of a longer one')
    }
  } catch (error) {
    expectTyped(error, ['LIGHTNING_DECODE'])
  }
}

async function create(): Promise<Target> {
  const keys = [
    null,
    false,
    true,
    0,
    -1.5,
    1e300,
    new Date(0),
    '',
    'a\0b',
    new Uint8Array([0, 1, 2, 255]),
    [],
    [1, ['x', [null]], 'é']
  ]
  return { mostBytes: 512, seeds: keys.map(key => tuple.encode(key)), run }
}

export const tupleTarget: TargetEntry = {
  name: 'tuple',
  what: 'keys: tuples and text; what decodes encodes to the same bytes',
  create
}
