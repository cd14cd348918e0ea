// Clients whose requests are well-formed one by one and make no sense together: numbers used twice, ends before
// beginnings, calls after the farewell. Whatever they do, nothing of theirs is left when they have gone.
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { isLightningError } from '../../src/index.ts'
import { type Message, MessageCoder } from '../../src/host/messages.ts'
import { answer, operation, protocolName, protocolVersion } from '../../src/host/wire.ts'
import { errorOf } from '../../src/host/wire-error.ts'
import { nextTurn } from '../support/next-turn.ts'
import { channelPair, ownerHere } from './pair.ts'

const hello: Message = [protocolName, protocolVersion, false, true, false, false]
const root = new Uint8Array(0)

/** Few, so that they meet. */
const handle = fc.integer({ min: 0, max: 3 })
const key = fc.constantFrom(Uint8Array.of(97), Uint8Array.of(98), Uint8Array.of(99))
const value = key
const path = fc.constantFrom(root, Uint8Array.of(115, 0, 1))
const timeout = fc.constantFrom(undefined, 0, 1)
const range = fc.tuple(
  fc.option(key, { nil: undefined }),
  fc.boolean(),
  fc.option(key, { nil: undefined }),
  fc.boolean(),
  fc.boolean(),
  fc.constantFrom(undefined, 0, 1, 5),
  fc.boolean()
)
const isolation = fc.constantFrom('serializable', 'snapshot', 'read-committed')
const ids = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 })

const request: fc.Arbitrary<readonly unknown[]> = fc.oneof(
  ...[operation.get, operation.has, operation.del].map(name => fc.tuple(fc.constant(name), handle, path, key)),
  fc.tuple(fc.constant(operation.getMany), handle, path, fc.array(key, { maxLength: 2 })),
  ...[operation.count, operation.clear].map(name => fc.tuple(fc.constant(name), handle, path, range)),
  fc.tuple(fc.constant(operation.names), handle, path),
  fc.tuple(fc.constant(operation.iterate), handle, path, range, fc.boolean(), handle, fc.integer({ min: 0, max: 2 })),
  fc.tuple(fc.constant(operation.nextRows), handle, fc.integer({ min: 0, max: 2 })),
  fc.tuple(fc.constant(operation.delivered), handle, fc.option(key, { nil: undefined }), fc.boolean(), fc.boolean()),
  fc.tuple(fc.constant(operation.put), handle, path, key, value),
  fc.tuple(fc.constant(operation.batch), handle, fc.array(fc.tuple(path, key, fc.option(value, { nil: undefined })))),
  fc.tuple(fc.constant(operation.drop), path),
  fc.tuple(
    fc.constant(operation.begin),
    handle,
    isolation,
    timeout,
    fc.integer({ min: 1, max: 9 }),
    handle,
    fc.boolean()
  ),
  fc.tuple(fc.constant(operation.getForUpdate), handle, path, key, timeout),
  ...[operation.savepoint, operation.rollbackTo].map(name => fc.tuple(fc.constant(name), handle, handle)),
  fc.tuple(fc.constant(operation.commit), handle, ids),
  ...[operation.snapshot, operation.closeSnapshot, operation.rollback, operation.forget].map(name =>
    fc.tuple(fc.constant(name), handle)
  ),
  ...[operation.sequence, operation.flush, operation.checkpoint, operation.verify, operation.compact].map(name =>
    fc.tuple(fc.constant(name))
  ),
  fc.tuple(fc.constant(operation.cancel), fc.integer({ min: 0, max: 40 })),
  fc.tuple(fc.constantFrom(operation.ping, operation.stats, operation.pageMap)),
  { arbitrary: fc.tuple(fc.constant(operation.close)), weight: 1 }
)
/** With ids that may be used twice. */
const requests = fc.array(fc.tuple(request, fc.integer({ min: 0, max: 40 })), { maxLength: 60 })

it('nothing is left of clients that do what makes no sense', async () => {
  const here = await ownerHere()
  const client = await here.client()
  await client.batch(['a', 'b', 'c', 'd'].map(each => ({ type: 'put', key: each, value: each })))
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 3 }), async all => {
      const untyped: unknown[] = []
      const ends = all.map(each => {
        const [near, far] = channelPair()
        const coder = new MessageCoder()
        near.onFrame = frame => {
          for (const [, kind, error] of coder.decode(frame)) {
            if (kind === answer.error && !isLightningError(errorOf(error))) untyped.push(error)
          }
        }
        here.owner.accept(far)
        const messages = each.map(([[name, ...fields], id]): Message => [name, id, ...fields])
        near.post(coder.encode([hello, ...messages.slice(0, 30)]))
        near.post(coder.encode(messages.slice(30)))
        return [near, far] as const
      })
      for (let turn = 0; turn < 4; turn++) await nextTurn()
      for (const [near, far] of ends) {
        near.lose('over')
        far.lose('over')
      }
      for (let turn = 0; turn < 4; turn++) await nextTurn()
      expect(untyped).toEqual([])
      expect(here.owner.clients).toBe(1)
      expect(here.owner.transactions.size).toBe(0)
      // Long work that was under way ends at its next step.
      await vi.waitUntil(async () => (await client.stats()).snapshots.open === 0, { timeout: 5_000 })
    }),
    { numRuns: 200 }
  )
  expect((await client.verify()).problems).toEqual([])
})

it('nothing is left of two transactions of one number that waited for their turn at once', async () => {
  const here = await ownerHere()
  const client = await here.client()
  const { transactions } = here.owner
  vi.spyOn(transactions, 'beginInTurn').mockImplementation(async options => {
    await nextTurn()
    return transactions.begin(options)
  })
  const [near, far] = channelPair()
  here.owner.accept(far)
  const begin: Message = [operation.begin, 1, 7, 'serializable', undefined, 1, 0, false]
  near.post(new MessageCoder().encode([hello, begin, begin]))
  await vi.waitUntil(() => transactions.size > 0)
  await nextTurn()
  far.lose('over')
  expect(transactions.size).toBe(0)
  expect(await client.count()).toBe(0)
})
