// A client that has lost its owner from sight finds the same one again, which is only slow: what the client has sent by
// the first channel may still wait there.
import { expect, it } from 'vitest'
import type { Frame } from '../../src/host/channel.ts'
import { greet } from '../../src/host/handshake.ts'
import type { Link } from '../../src/host/link.ts'
import { operation } from '../../src/host/wire.ts'
import { channelPair, type Here, ownerHere } from './pair.ts'

const hello = { readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false }
const root = new Uint8Array(0)
const key = Uint8Array.of(1)

/** A client's link, and the owner's end of its channel. */
async function linked(here: Here, client: string) {
  const [near, far] = channelPair()
  here.owner.accept(far)
  const { link } = await greet(near, { ...hello, client }, 1_000, 1_000)
  return { link, far }
}

function asked(link: Link, name: number, ...fields: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    link.send({
      operation: name,
      fields: [0, root, key, ...fields],
      sink: { onLost: 'unknown', resolve, reject },
      attempts: 1
    })
  })
}

it('what a client sent by a channel that it gave up is not done after what it sends by the next', async () => {
  const here = await ownerHere()
  const first = await linked(here, 'one')
  const other = await linked(here, 'other')
  const late: Frame[] = []
  const { onFrame } = first.far
  first.far.onFrame = frame => late.push(frame)
  const old = asked(first.link, operation.put, Uint8Array.of(1))
  await asked(other.link, operation.get)
  expect(late).toHaveLength(1)
  const second = await linked(here, 'one')
  await expect(old).rejects.toMatchObject({ code: 'LIGHTNING_OWNER_LOST' })
  await asked(second.link, operation.put, Uint8Array.of(2))
  for (const frame of late) onFrame(frame)
  expect(await asked(second.link, operation.get)).toEqual(Uint8Array.of(2))
  // Others stay.
  expect(await asked(other.link, operation.get)).toEqual(Uint8Array.of(2))
  expect(here.owner.clients).toBe(2)
  await Promise.all([second, other].map(({ link }) => asked(link, operation.close)))
})
