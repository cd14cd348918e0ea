// Holders of the lock that hang up on whoever wants to be their client, because they are just leaving.
import { readdirSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.ts'
import { nodeVfs } from '../../src/vfs/node.ts'
import { temporaryDirectory } from '../support/directory.ts'

/** Takes the lock, and leaves it when the first client says hello; `next` is done before it hangs up. */
async function hold(location: string, next: () => Promise<void>): Promise<void> {
  const vfs = nodeVfs(location, socket =>
    // Those that only look whether somebody is there say nothing.
    socket.once('data', async () => {
      await lock.release()
      await next()
      socket.destroy()
    })
  )
  const lock = await vfs.lock('exclusive')
}

/** The newest number of a lock, as often as the lock was taken. */
function timesTaken(location: string): number {
  const numbers = readdirSync(location).map(name => Number(/^LOCK\.(\d+)$/.exec(name)?.[1] ?? 0))
  return Math.max(...numbers)
}

it('a client does not take the lock to see whether it is free: others who come just then would be refused', async () => {
  const location = await temporaryDirectory()
  await hold(location, async () => {})
  const client = await connect(location)
  onTestFinished(() => client.close())
  expect(timesTaken(location)).toBe(2)
})

it('a client is not refused because one holder after the other was just leaving', async () => {
  const location = await temporaryDirectory()
  const holders = 5
  const next = async (left: number): Promise<void> => {
    if (left > 0) await hold(location, () => next(left - 1))
  }
  await next(holders)
  const client = await connect(location)
  onTestFinished(() => client.close())
  expect(timesTaken(location)).toBe(holders + 1)
})
