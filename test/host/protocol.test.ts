// What an owner makes of messages that no client of this version sends, and a client of such answers.
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MAX_KEY_BYTES } from '../../assembly/state.ts'
import { isLightningError } from '../../src/index.ts'
import type { Frame } from '../../src/host/channel.ts'
import { mostValueBytes } from '../../src/engine/large-values.ts'
import { FrameParser, frameHeader, isAcceptable } from '../../src/host/frame-parser.ts'
import { greet } from '../../src/host/handshake.ts'
import { welcomeMessage } from '../../src/host/handshake-messages.ts'
import { type Message, MessageCoder } from '../../src/host/messages.ts'
import { answer, operation, protocolName, protocolVersion } from '../../src/host/wire.ts'
import { mostBatchBytes } from '../../src/host/rows.ts'
import { errorField, errorOf } from '../../src/host/wire-error.ts'
import { LightningError } from '../../src/errors.ts'
import { rejection } from '../support/database.ts'
import { nextTurn } from '../support/next-turn.ts'
import { channelPair, type MemoryChannel, ownerHere } from './pair.ts'

const coder = new MessageCoder()
const hello: Message = [protocolName, protocolVersion, false, true, false, false]

/** Everything that comes over a channel, as messages. */
function record(channel: MemoryChannel): { readonly messages: Message[]; isClosed(): boolean } {
  const messages: Message[] = []
  let closed = false
  channel.onFrame = frame => messages.push(...coder.decode(frame))
  channel.onClose = () => {
    closed = true
  }
  return { messages, isClosed: () => closed }
}

const errorIn = (message: Message | undefined): unknown => errorOf(message?.[2])

const field: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: -2, max: 20 }),
  fc.double(),
  fc.boolean(),
  fc.string({ maxLength: 5 }),
  fc.uint8Array({ maxLength: 8 }),
  fc.array(fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.integer({ min: 0, max: 5 })), { maxLength: 8 }),
  fc.constant([undefined, false, undefined, false, false, undefined, false]),
  fc.bigInt({ min: 0n, max: 3n }),
  fc.constant('serializable')
)
const operations = Object.values(operation).filter(each => each !== operation.close)
const request = fc
  .tuple(fc.oneof(fc.constantFrom(...operations), fc.integer()), fc.integer({ min: -1, max: 1_000 }), fc.array(field))
  .map(([name, id, fields]): Message => [name, id, ...fields])
  // It would be made, wherever the text says.
  .filter(([name, , destination]) => !(name === operation.backup && typeof destination === 'string'))

it('the largest value that a database takes can be sent, also as a row of an iterator, and nothing much larger', () => {
  const part = new Uint8Array(2 * mostValueBytes)
  const rowBytes = mostBatchBytes + 8 + MAX_KEY_BYTES + mostValueBytes
  expect(isAcceptable(100, [part.subarray(0, mostValueBytes)])).toBe(true)
  expect(isAcceptable(100, [part.subarray(0, rowBytes)])).toBe(true)
  expect(isAcceptable(100, [part])).toBe(false)
})

describe('an owner', () => {
  it('answers malformed requests with typed errors, or hangs up, and serves others as before', async () => {
    const here = await ownerHere()
    const client = await here.client()
    await client.put('kept', 1)
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 20 }), async requests => {
        const [near, far] = channelPair()
        here.owner.accept(far)
        const { messages } = record(near)
        near.post(coder.encode([hello, ...requests]))
        for (let turn = 0; turn < 3; turn++) await nextTurn()
        for (const [, kind, error] of messages) {
          if (kind === answer.error) expect(isLightningError(errorOf(error))).toBe(true)
        }
        near.lose('over')
        far.lose('over')
      }),
      { numRuns: 300 }
    )
    expect(here.owner.clients).toBe(1)
    // `verify` and `compact` of the last one end where they next look whether they are to go on.
    await vi.waitFor(async () => expect((await client.stats()).snapshots.open).toBe(0), 10_000)
    const tx = await client.begin()
    expect(await tx.getForUpdate('kept', { lockTimeoutMs: 0 }).then(() => 'free')).toBe('free')
    await tx.rollback()
    const report = await client.verify()
    expect(report.problems).toEqual([])
  })

  it('hangs up on bytes that are not a frame, and says why', async () => {
    const here = await ownerHere()
    const client = await here.client()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (bytes, greets) => {
        const [near, far] = channelPair()
        here.owner.accept(far)
        const recorded = record(near)
        if (greets) near.post(coder.encode([hello]))
        near.post({ head: bytes, parts: [] })
        await nextTurn()
        const last = recorded.messages.at(-1)
        if (last?.[1] === answer.error) {
          expect(isLightningError(errorIn(last), 'LIGHTNING_INVALID_ARGUMENT')).toBe(true)
          expect(recorded.isClosed()).toBe(true)
        } else near.lose('an empty list is a frame')
        far.lose('over')
      }),
      { numRuns: 200 }
    )
    await client.put('a', 1)
    expect(await client.get('a')).toBe(1)
  })

  it('refuses a client of another version', async () => {
    const here = await ownerHere()
    await here.client()
    const [near, far] = channelPair()
    here.owner.accept(far)
    const recorded = record(near)
    near.post(coder.encode([[protocolName, protocolVersion + 1, 'whatever', 'comes', 'then']]))
    await nextTurn()
    expect(isLightningError(errorIn(recorded.messages[0]), 'LIGHTNING_VERSION')).toBe(true)
    expect(recorded.isClosed()).toBe(true)
  })
})

describe('a client', () => {
  const own = { readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false }

  it('refuses an owner of another version', async () => {
    const [near, far] = channelPair()
    far.onFrame = () => far.post(coder.encode([[0, answer.welcome, protocolVersion + 1, 'x']]))
    await rejection('LIGHTNING_VERSION', greet(near, own, 1_000, 1_000))
  })

  it.each<[string, readonly unknown[]]>([
    ['no list', ['text']],
    ['an answer of no kind', [[1, 99]]],
    ['a malformed error', [[1, answer.error, 5, true]]],
    ['an error of no code', [[1, answer.error, { name: 'LightningError', message: 'x', code: 'OTHER' }, true]]],
    ['done requests that are no numbers', [[0, answer.done, ['x']]]],
    ['a malformed event', [[0, answer.event, 5, 5]]]
  ])('takes an owner that sends %s for lost', async (_, messages) => {
    const here = await ownerHere()
    const client = await here.client()
    const [, far] = here.ends()
    far.onFrame = () => far.post(messages[0] === 'text' ? { head: Uint8Array.of(1), parts: [] } : encoded(messages))
    await rejection('LIGHTNING_OWNER_LOST', client.put('a', 1))
  })

  it('takes an owner for lost that sends a malformed event with its welcome', async () => {
    const [near, far] = channelPair()
    far.onFrame = () => far.post(coder.encode([welcomeMessage({ location: 'x' }), [0, answer.event, 5, 5]]))
    const { link } = await greet(near, own, 1_000, 1_000)
    const lost: string[] = []
    link.events = {
      event: () => {
        throw new Error('an event is malformed')
      },
      log: () => undefined,
      lost: (_, error) => void lost.push(error.message)
    }
    expect(lost).toEqual([expect.stringContaining('an event is malformed')])
    expect(link.isLost).toBe(true)
  })

  function encoded(messages: readonly unknown[]): Frame {
    return coder.encode(messages.map(message => (Array.isArray(message) ? message : [])))
  }
})

describe('errors', () => {
  it('cross with code, message, place and causes', () => {
    const root = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    const error = new LightningError('LIGHTNING_CORRUPT', 'Damaged.', {
      cause: new LightningError('LIGHTNING_IO', 'Failed.', { cause: root }),
      file: 'data.ldb',
      page: 7,
      offset: 4_096,
      keyRange: { from: Uint8Array.of(1), to: undefined }
    })
    const crossed = errorOf(new MessageCoder().decode(coder.encode([[errorField(error)]]))[0]?.[0])
    expect(crossed).toMatchObject({
      code: 'LIGHTNING_CORRUPT',
      message: 'Damaged.',
      file: 'data.ldb',
      page: 7,
      offset: 4_096,
      keyRange: { from: Uint8Array.of(1) },
      cause: { code: 'LIGHTNING_IO', message: 'Failed.', cause: { message: 'ENOSPC', code: 'ENOSPC' } }
    })
    expect(isLightningError(crossed)).toBe(true)
  })

  it('with circular causes and ill-formed text cross too', () => {
    const error = new Error('half a \ud83d')
    error.cause = error
    expect(errorOf(errorField(error))).toMatchObject({ message: 'half a \ufffd' })
  })
})

describe('a stream of frames', () => {
  it('is put together however it is cut', () => {
    const part = fc.uint8Array({ maxLength: 30 })
    const frames = fc.array(fc.record({ head: part, parts: fc.array(part, { maxLength: 3 }) }), { maxLength: 5 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = sent.flatMap(frame => [
          ...frameHeader(frame),
          ...frame.head,
          ...frame.parts.flatMap(each => [...each])
        ])
        const parser = new FrameParser()
        const received: Frame[] = []
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1
          parser.push(Uint8Array.from(bytes.slice(at, at + length)))
          at += length
          for (let frame = parser.next(); frame !== undefined; frame = parser.next()) received.push(frame)
        }
        expect(received).toEqual(sent)
      })
    )
  })

  it('that announces what no frame holds is refused before anything is kept for it', () => {
    const parser = new FrameParser()
    parser.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0))
    expect(() => parser.next()).toThrow('no frame')
  })
})
