// What clients say to the owner of a database: frames in a stream, messages in a frame, requests of a session. Whatever
// arrives, the owner answers with typed errors, its database stays sound, and nothing of the client remains.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MsgpackEncoding } from '../../src/encoding/msgpack-encoding.ts'
import type { Channel, Frame } from '../../src/host/channel.ts'
import { FrameParser, frameHeader } from '../../src/host/frame-parser.ts'
import { helloMessage } from '../../src/host/handshake-messages.ts'
import { type Message, MessageCoder } from '../../src/host/messages.ts'
import { Owner } from '../../src/host/owner.ts'
import { answer, operation } from '../../src/host/wire.ts'
import { isLightningError } from '../../src/errors.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Random } from '../../test/support/random.ts'
import { smallOptions } from '../../test/engine/content.ts'
import { interestingNumbers, mutateBytes, someNumber } from '../fuzzer/mutators.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'

// An input is the head of a frame that follows the greeting: a list of requests.
const mostBytes = 600
const msgpack = new MsgpackEncoding()
const hello = helloMessage({ readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false })
const operations = Object.values(operation)
const empty = new Uint8Array(0)
const key = new Uint8Array([107])
const range = [undefined, false, undefined, false, false, Number.POSITIVE_INFINITY, false]

const requests: readonly (readonly Message[])[] = [
  [
    [operation.put, 1, 0, empty, key, new Uint8Array(40)],
    [operation.get, 2, 0, empty, key],
    [operation.has, 3, 0, empty, key],
    [operation.del, 4, 0, empty, key]
  ],
  [
    [
      operation.batch,
      1,
      0,
      [
        [empty, key, key],
        [key, key, undefined]
      ]
    ],
    [operation.getMany, 2, 0, empty, [key, key]],
    [operation.clear, 3, 0, empty, range],
    [operation.count, 4, 0, empty, range]
  ],
  [
    [operation.begin, 1, 5, 'serializable', undefined, 1, 0, false],
    [operation.getForUpdate, 2, 5, empty, key, 0],
    [operation.savepoint, 3, 5, 1],
    [operation.put, 4, 5, empty, key, key],
    [operation.rollbackTo, 5, 5, 1],
    [operation.commit, 6, 5, []]
  ],
  [
    [operation.snapshot, 1, 7],
    [operation.iterate, 2, 7, empty, range, false, 8, 10],
    [operation.nextRows, 3, 8, 10],
    [operation.delivered, 4, 8, key, false, true],
    [operation.closeSnapshot, 5, 7]
  ],
  [
    [operation.sequence, 1],
    [operation.flush, 2],
    [operation.checkpoint, 3],
    [operation.verify, 4],
    [operation.compact, 5]
  ],
  [
    [operation.stats, 1],
    [operation.names, 2, 0, empty],
    [operation.drop, 3, key],
    [operation.cancel, 4, 3],
    [operation.ping, 5]
  ]
]

async function create(): Promise<Target> {
  return {
    mostBytes,
    seeds: requests.map(list => msgpack.encode(list)),
    mutate: (input, random, other) =>
      mutateRequests(input, random, other) ?? mutateBytes(input, random, other, mostBytes),
    async run(input) {
      checkStream(input)
      // A backup would write where the bytes say.
      if (asksForBackup(input)) return
      let becameIdle: () => void = () => undefined
      const idle = new Promise<void>(resolve => {
        becameIdle = resolve
      })
      const owner = await Owner.open(memoryVfs(), { ...smallOptions, lockTimeoutMs: 0 }, becameIdle)
      const client = new Client()
      owner.accept(client)
      const coder = new MessageCoder()
      client.onFrame(coder.encode([hello]))
      client.onFrame({ head: input, parts: [] })
      for (let turn = 0; turn < 4; turn++) await nextTurn()
      client.check()
      expectThat(await isSound(owner), 'no request damages a database')
      // An owner without clients closes the database; one that does not is a hang.
      client.onClose('gone')
      await idle
      expectThat(owner.clients === 0 && owner.transactions.size === 0, 'nothing of a client that is gone remains')
    }
  }
}

/** Whether verification finds nothing; an owner whose client leaves closes the database in the middle of it. */
async function isSound({ engine }: Owner): Promise<boolean> {
  if (engine.isClosed) return true
  try {
    return (await engine.verify()).ok
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_CLOSED')) throw error
    return engine.isClosed
  }
}

/** The client's end as the owner sees it. */
class Client implements Channel {
  onFrame: (frame: Frame) => void = () => undefined
  onClose: (reason: string) => void = () => undefined
  onDrain: () => void = () => undefined
  readonly isCongested = false
  readonly #coder = new MessageCoder()
  readonly #answers: Message[] = []

  post(frame: Frame): void {
    this.#answers.push(...this.#coder.decode(frame))
  }

  close(): void {}

  abandon(): void {}

  hold(): void {}

  check(): void {
    for (const [, kind, error] of this.#answers) {
      if (kind !== answer.error) continue
      const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
      const isTyped = typeof code === 'string' && code.startsWith('LIGHTNING_')
      expectThat(isTyped, `a typed error, not ${JSON.stringify(error)}`)
    }
  }
}

/** However a stream is cut, the same frames are in it. */
function checkStream(input: Uint8Array): void {
  const frame: Frame = { head: input, parts: [input.subarray(0, 5), empty] }
  const stream = Uint8Array.from(Buffer.concat([frameHeader(frame), frame.head, ...frame.parts, input]))
  const whole = framesIn([stream])
  const cut = framesIn([
    stream.slice(0, input.length >>> 1),
    ...Array.from(stream.slice(input.length >>> 1), byte => Uint8Array.of(byte))
  ])
  expectThat(whole === cut, 'a stream that arrives in pieces holds the same frames')
}

function framesIn(chunks: readonly Uint8Array[]): string {
  const parser = new FrameParser()
  let found = ''
  try {
    for (const chunk of chunks) {
      parser.push(chunk)
      for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
        found += `${[frame.head, ...frame.parts].map(bytes => Buffer.from(bytes).toString('hex')).join()};`
      }
    }
  } catch (error) {
    expectThat(
      error instanceof Error && error.message === 'it sent no frame.',
      `a stream is refused in words: ${error}`
    )
    found += 'refused'
  }
  return found
}

function listIn(input: Uint8Array): unknown[] | undefined {
  try {
    const value = msgpack.read(input, 0, input.length)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function asksForBackup(input: Uint8Array): boolean {
  return listIn(input)?.some(message => Array.isArray(message) && message[0] === operation.backup) === true
}

/** Requests added, left out, from another input, or with another field. */
function mutateRequests(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array | undefined {
  const list = listIn(input)
  if (list === undefined || random.chance(0.2)) return undefined
  const changed = [...list]
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(changed.length + 1)
    const message = changed[at]
    const kind = random.below(5)
    if (kind === 0) changed.splice(at, 1)
    else if (kind === 1) changed.splice(at, 0, ...(listIn(other) ?? []).slice(random.below(3)))
    else if (Array.isArray(message) && message.length > 0) {
      const field = random.below(message.length + 1)
      changed[at] = [...message.slice(0, field), someField(random, field), ...message.slice(field + 1)]
    }
  }
  try {
    return msgpack.encode(changed)
  } catch {
    return undefined
  }
}

function someField(random: Random, field: number): unknown {
  if (field === 0) return operations[random.below(operations.length)]
  if (field === 1) return random.below(9)
  const kind = random.below(9)
  if (kind === 0) return random.pick(interestingNumbers)
  if (kind === 1) return random.below(9)
  if (kind === 2) return new Uint8Array(random.below(4)).fill(random.below(3))
  if (kind === 3) return random.chance(0.5)
  if (kind === 4) return undefined
  if (kind === 5) return [...range.slice(0, random.below(8)), key]
  if (kind === 6) return ['serializable', 'snapshot', 'read-committed', 'x'][random.below(4)]
  if (kind === 7) return [[empty, key, key]]
  return someNumber(random) / 3
}

export const protocolTarget: TargetEntry = {
  name: 'protocol',
  what: 'requests of clients: answered, or refused in a typed way',
  create
}
