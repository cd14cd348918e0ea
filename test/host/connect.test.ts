// connect() with real threads, in whatever runtime this is.
import { describe, expect, it } from 'vitest'
import { connect, open } from '../../src/index.ts'
import { callUnchecked, rejection } from '../support/database.ts'
import { all } from '../support/either.ts'
import { inDirectory } from '../support/in-directory.ts'

describe('connect', () => {
  it('starts one owner for all clients, who see what the others write', async () => {
    const location = await inDirectory.newLocation()
    const [one, two] = await Promise.all([connect(location), connect(location)])
    await one.put('a', { n: 1 })
    expect(await two.get('a')).toEqual({ n: 1 })
    await two.batch(Array.from({ length: 3_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: 'x'.repeat(i) })))
    expect((await all(one.values({ prefix: 'k' }))).reduce<number>((sum, text) => sum + String(text).length, 0)).toBe(
      (2_999 * 3_000) / 2
    )
    const large = new Uint8Array(3_000_000).fill(7)
    await one.put('large', large, { valueEncoding: 'view' })
    expect((await two.get('large', { valueEncoding: 'view' }))?.every(byte => byte === 7)).toBe(true)
    expect(large.length).toBe(3_000_000)
    await one.close()
    expect(await two.has('a')).toBe(true)
    await two.close()
    const local = await open(location)
    expect(local.get('a')).toEqual({ n: 1 })
    await local.close()
  })

  it('runs transactions of many clients at once', async () => {
    const location = await inDirectory.newLocation()
    const clients = [await connect<string, number>(location), await connect<string, number>(location)]
    await Promise.all(
      [...clients, ...clients].map(client =>
        client.transaction(async tx => tx.put('n', ((await tx.getForUpdate('n')) ?? 0) + 1), { retries: 50 })
      )
    )
    expect(await clients[0]?.get('n')).toBe(4)
    for (const client of clients) await client.close()
  })

  it('begins anew when the last client has closed, again and again', async () => {
    const location = await inDirectory.newLocation()
    for (let i = 0; i < 5; i++) {
      const client = await connect<string, number>(location)
      expect(await client.count()).toBe(i)
      await client.put(`k${i}`, i)
      await client.close()
      await rejection('LIGHTNING_CLOSED', client.get('k0'))
    }
  })

  it('refuses what is no option, of open or its own, with the nearest known name', async () => {
    for (const [options, nearest] of [
      [{ cacheByte: 5 }, 'cacheBytes'],
      [{ ownerTimeout: 5 }, 'ownerTimeoutMs'],
      [{ ownerTimeoutMs: 0 }, 'ownerTimeoutMs'],
      [{ worker: 5 }, 'worker'],
      [null, 'object']
    ] as const) {
      const error = await rejection(
        'LIGHTNING_INVALID_ARGUMENT',
        callUnchecked({ connect }, 'connect', ':memory:', options)
      )
      expect(error.message).toContain(nearest)
    }
  })

  it('gives every client in memory a database of its own', async () => {
    const [one, two] = [await connect(':memory:'), await connect(':memory:')]
    await one.put('a', 1)
    expect([await two.has('a'), one.location]).toEqual([false, ':memory:'])
    await one.close()
    await two.close()
  })
})
