// What ports of node:worker_threads carry.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import type { Frame } from '../../src/host/channel.ts'
import { nodePort } from '../../src/host/node-port.ts'
import { PortChannel } from '../../src/host/port-channel.ts'
import { deferred } from '../support/deferred.ts'

function ports(): [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => {
    port1.close()
    port2.close()
  })
  return [port1, port2]
}

const bytes = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i)

const frames: readonly Frame[] = [
  { head: bytes(10, 1), parts: [] },
  // The head of a larger buffer; the other parts are handed over, two of them in one buffer.
  { head: bytes(100, 7).subarray(20, 30), parts: [bytes(5_000, 3)] },
  { head: bytes(9_000, 5).subarray(8), parts: twoOf(bytes(1_000, 9)) },
  { head: bytes(3, 0), parts: [new Uint8Array(0)] }
]

function twoOf(whole: Uint8Array): Uint8Array[] {
  return [whole.subarray(0, 400), whole.subarray(600)]
}

it('frames arrive as they were posted', async () => {
  const [near, far] = ports()
  const expected = structuredClone(frames)
  const arrived: Frame[] = []
  const all = deferred()
  new PortChannel(nodePort(far)).onFrame = frame => {
    arrived.push(frame)
    if (arrived.length === frames.length) all.resolve()
  }
  const channel = new PortChannel(nodePort(near))
  for (const frame of frames) channel.post(frame)
  await all.promise
  expect(arrived).toEqual(expected)
})

it('no views are posted, which Deno takes apart byte by byte, and no buffer that is not needed', async () => {
  const [near, far] = ports()
  const message = deferred<unknown>()
  far.once('message', posted => message.resolve(posted))
  new PortChannel(nodePort(near)).post({ head: bytes(100, 7).subarray(20, 30), parts: [bytes(5_000, 3)] })
  expect(await message.promise).toEqual([bytes(10, 27).buffer, 0, 10, bytes(5_000, 3).buffer, 0, 5_000])
})

it.each([
  ['a view', [bytes(3, 1)]],
  ['too little', [new ArrayBuffer(3), 0]],
  ['bytes beyond the end', [new ArrayBuffer(3), 2, 2]],
  ['bytes before the beginning', [new ArrayBuffer(3), -1, 2]],
  ['no numbers', [new ArrayBuffer(3), Number.NaN, 1]],
  ['nothing at all', []]
])('%s is no frame, and ends the channel', async (_, posted) => {
  const [near, far] = ports()
  const reason = deferred<string>()
  new PortChannel(nodePort(far)).onClose = why => reason.resolve(why)
  near.postMessage(posted)
  expect(await reason.promise).toContain('no frame')
})
