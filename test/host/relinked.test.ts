// What waits for the next owner while owners come and go.
import { expect, it, vi } from 'vitest'
import { Connection } from '../../src/host/connection.ts'
import { greet } from '../../src/host/handshake.ts'
import type { Link } from '../../src/host/link.ts'
import { operation } from '../../src/host/wire.ts'
import { channelPair, type Here, ownerHere } from './pair.ts'

const timeoutMs = 1_000

async function linked({ owner }: Here): Promise<Link> {
  const [near, far] = channelPair()
  owner.accept(far)
  const hello = { readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false }
  return (await greet(near, hello, timeoutMs, timeoutMs)).link
}

function sequence(connection: Connection): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.send(operation.sequence, [0], { onLost: 'unknown', resolve, reject })
  })
}

it('a call that was not sent goes to the next owner, if one is gone as soon as it was found', async () => {
  const here = await ownerHere()
  // The owner must not end.
  await linked(here)
  const first = await linked(here)
  let dials = 0
  const dial = async (): Promise<Link> => {
    const link = await linked(here)
    if (++dials < 3) link.lose('it was killed.')
    return link
  }
  const connection = new Connection('here', first, dial, timeoutMs)
  connection.listen({ needsOwner: false, event: () => {}, log: () => {} })
  first.lose('it was killed.')
  expect(await sequence(connection)).toBe(0)
  expect(dials).toBe(3)
})

it('a call that was not sent is refused in time when no owner stays', async () => {
  const here = await ownerHere()
  await linked(here)
  const dial = async (): Promise<Link> => {
    const link = await linked(here)
    link.lose('it was killed.')
    return link
  }
  const connection = new Connection('here', await dial(), dial, 50)
  connection.listen({ needsOwner: false, event: () => {}, log: () => {} })
  await expect(sequence(connection)).rejects.toMatchObject({ code: 'LIGHTNING_OWNER_LOST' })
})

it('a client that only listens looks for an owner again and again, until it has closed', async () => {
  const here = await ownerHere()
  await linked(here)
  const first = await linked(here)
  let dials = 0
  const dial = async (): Promise<Link> => {
    if (++dials < 3) throw new Error('the lock is held by open().')
    return await linked(here)
  }
  const connection = new Connection('here', first, dial, 10)
  const warnings: unknown[] = []
  connection.listen({ needsOwner: true, event: () => {}, log: (level, parts) => warnings.push([level, ...parts]) })
  const clients = here.owner.clients
  first.lose('it was killed.')
  await vi.waitFor(() => expect(dials).toBe(3))
  await vi.waitFor(() => expect(here.owner.clients).toBe(clients))
  expect(warnings).toHaveLength(2)
  await connection.close(async () => {})
})
