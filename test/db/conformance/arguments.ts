import { describe, expect, it } from 'vitest'
import { isLightningError } from '../../../src/index.ts'
import { callUnchecked, type Target } from '../../support/database.ts'
import { all, type AnyDatabase, openNew, refusal } from '../../support/either.ts'

type Call = readonly [method: string, ...arguments: unknown[]]

/** A proxy that was revoked: whatever is done with it throws. */
const revoked = revokedProxy()

const noObjects = [revoked, null, 5, 'a', true, [], () => 1]

/** Every call that is refused, with what is wrong about it. */
const refused: readonly Call[] = [
  ...[revoked, undefined, null, 5, true, ['a'], {}, Uint8Array.of(1), Symbol('a')].flatMap((key): Call[] => [
    ['get', key],
    ['has', key],
    ['read', key, () => 1],
    ['getMany', [key]],
    ['put', key, 1],
    ['putSync', key, 1],
    ['del', key],
    ['delSync', key],
    ['batch', [{ type: 'del', key }]]
  ]),
  ...[revoked, null, 5, true, ['a'], {}].flatMap((bound): Call[] => [
    ['keys', { gt: bound }],
    ['values', { lte: bound }],
    ['entries', { prefix: bound }],
    ['count', { gte: bound }],
    ['clear', { lt: bound }]
  ]),
  ...noObjects.flatMap((options): Call[] => [
    ['get', 'a', options],
    ['getMany', ['a'], options],
    ['has', 'a', options],
    ['read', 'a', () => 1, options],
    ['put', 'a', 1, options],
    ['del', 'a', options],
    ['batch', [], options],
    ['keys', options],
    ['values', options],
    ['entries', options],
    ['count', options],
    ['clear', options],
    ['sublevel', 'a', options],
    ['sublevels', options],
    ['checkpoint', options],
    ['verify', options],
    ['compact', options],
    ['backup', '/nowhere', options]
  ]),
  ...['get', 'has', 'del'].map((method): Call => [method, 'a', { keyEncodign: 'view' }]),
  ...[{ limit: 1.5 }, { limit: -2 }, { reverse: 1 }, { from: 'a' }, { keyEncoding: 'msgpack' }].map(
    (range): Call => ['keys', range]
  ),
  ['get', 'a', { valueEncoding: 'tuple' }],
  ['get', 'a', { valueEncoding: {} }],
  ['get', 'a', { keyEncoding: revoked }],
  ['get', 'a', { snapshot: revoked }],
  ['keys', { gt: [revoked], keyEncoding: 'tuple' }],
  ...['msgpack', 'json', 'utf8', 'view', 'buffer'].map(
    (valueEncoding): Call => ['put', 'a', revoked, { valueEncoding }]
  ),
  ...['utf8', 'view', 'buffer', 'tuple'].map((keyEncoding): Call => ['put', revoked, 1, { keyEncoding }]),
  ...['msgpack', 'json'].map((valueEncoding): Call => ['put', 'a', { deep: [revoked] }, { valueEncoding }]),
  ['put', new Proxy(Uint8Array.of(1), {}), 1, { keyEncoding: 'view' }],
  ['put', [new Proxy(new Date(0), {})], 1, { keyEncoding: 'tuple' }],
  ['put', 'a', undefined],
  ['put', 'a', () => 1],
  ['put', 'a', Symbol('a')],
  ['put', 'a', '\ud800'],
  ['put', '\ud800', 1],
  ['put', 'a', 1, { snapshot: undefined }],
  ['getMany', 'a'],
  ['getMany', undefined],
  ['getMany', revoked],
  ['getMany', new Set(['a'])],
  ['batch', undefined],
  ['batch', revoked],
  ['batch', [revoked]],
  ['batch', [{ type: revoked, key: 'a' }]],
  ['batch', [{ type: 'del', key: 'a', sublevel: revoked }]],
  ['batch', { type: 'del', key: 'a' }],
  ['read', 'a'],
  ['read', 'a', {}],
  ['backup', ''],
  ['backup', 5],
  ['backup', ':memory:'],
  ['backup', '/nowhere', { since: 'x' }],
  ['dropSublevel', revoked],
  ['verify', { signal: revoked }],
  ['verify', { onProgress: 5 }],
  ['compact', { signal: {} }],
  ['checkpoint', { onProgress: () => 1 }],
  ['on', 'checkpoints', () => 1],
  ['on', 'checkpoint'],
  ['on', 'checkpoint', revoked],
  ['on', undefined, () => 1]
]

/** Arguments that cannot be meant. */
export function badArguments(target: Target): void {
  it.each([
    ['a key', { type: 'put', value: 1 }, 'takes strings'],
    ['a value', { type: 'put', key: 'a' }, 'undefined'],
    ["a key's length", { type: 'put', key: 'k'.repeat(1_025), value: 1 }, '1024 bytes'],
    ['a name', { type: 'del', keys: 'a' }, "Did you mean 'key'?"],
    ['an encoding', { type: 'del', key: 'a', keyEncoding: 'hex' }, 'no encoding']
  ])('says in which operation of a batch %s is wrong', async (_, wrong, what) => {
    const db = await openNew(target)
    const operations = [{ type: 'put', key: 'a', value: 1 }, { type: 'del', key: 'b' }, wrong]
    const refusals = [await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'batch', operations))]
    await using tx = await db.begin()
    refusals.push(await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(tx, 'batch', operations)))
    for (const { message } of refusals) {
      expect(message).toMatch(/^batch, operation 2[:,]/)
      expect(message).toContain(what)
    }
    expect(await db.count()).toBe(0)
  })

  it('refuses every argument that cannot be meant, and then nothing has changed', async () => {
    const db = await openNew(target)
    await db.put('kept', 1)
    const before = await db.sequence()
    const accepted: Call[] = []
    for (const call of refused) if (!(await isRefused(db, call))) accepted.push(call)
    expect(accepted).toEqual([])
    expect([await db.sequence(), await all(db.entries()), await db.sublevels()]).toEqual([before, [['kept', 1]], []])
  })

  describe('asynchronous methods', () => {
    it('reject, they do not throw', async () => {
      const db = await openNew(target)
      const asynchronous = ['put', 'del', 'batch', 'clear', 'dropSublevel', 'checkpoint', 'verify', 'compact', 'backup']
      for (const [method, ...parameters] of refused) {
        if (!asynchronous.includes(method)) continue
        const result = callUnchecked(db, method, ...parameters)
        expect(result).toBeInstanceOf(Promise)
        await expect(result).rejects.toThrow()
      }
    })
  })
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

async function isRefused(db: AnyDatabase<string, unknown>, [method, ...parameters]: Call): Promise<boolean> {
  try {
    await callUnchecked(db, method, ...parameters)
    return false
  } catch (error) {
    // A sentence that says what to do.
    // What a client cannot do it does not look at.
    if (method.endsWith('Sync') && isLightningError(error, 'LIGHTNING_UNAVAILABLE')) return true
    return isLightningError(error, 'LIGHTNING_INVALID_ARGUMENT') && /^.{20,}[.?]$/s.test(error.message)
  }
}
