// The directory is removed or replaced while the database is open: nothing more may be acknowledged for long.
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, open } from '../../src/index.ts'
import { temporaryDirectory } from '../support/directory.ts'

/** What `docs/operations.md` names. */
const mostAcknowledged = 16

/** What both kinds of databases have. */
interface Store {
  put(key: string, value: number): Promise<void>
  get(key: string): unknown
  has(key: string): unknown
  close(): Promise<void>
}

const kinds: [string, (location: string) => Promise<Store>][] = [
  ['open', location => open<string, number>(location)],
  ['connect', location => connect<string, number>(location)]
]

const losses: [string, (location: string) => void][] = [
  ['removed', location => rmSync(location, { recursive: true })],
  [
    'replaced',
    location => {
      renameSync(location, `${location}.old`)
      mkdirSync(location)
    }
  ]
]

describe.each(losses)('a directory that is %s while it is open', (_, lose) => {
  it.each(kinds)('is noticed by the commits of %s, and no more are made', async (_name, start) => {
    const location = join(await temporaryDirectory(), 'db')
    const db = await start(location)
    onTestFinished(() => db.close().catch(() => undefined))
    for (let i = 0; i < 40; i++) await db.put(`before ${i}`, i)
    lose(location)
    let acknowledged = 0
    // So long that the free space is asked for, too.
    await new Promise(resolve => setTimeout(resolve, 150))
    const putAll = async (): Promise<void> => {
      for (; acknowledged < 10 * mostAcknowledged; acknowledged++) await db.put(`after ${acknowledged}`, 0)
    }
    await expect(putAll()).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    expect(acknowledged).toBeLessThanOrEqual(mostAcknowledged)
    await expect(db.put('more', 1)).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    // What was seen is still there to be saved.
    expect(await db.get('before 39')).toBe(39)
    expect(await db.has('more')).toBe(false)
  })
})

it('a lock file that somebody has removed by mistake stops the commits of its holder', async () => {
  const location = join(await temporaryDirectory(), 'db')
  const first = await open<string, number>(location)
  onTestFinished(() => first.close().catch(() => undefined))
  await first.put('a', 1)
  rmSync(join(location, 'LOCK.1'))
  const putAll = async (): Promise<void> => {
    for (let i = 0; i < 10 * mostAcknowledged; i++) await first.put(`k${i}`, i)
  }
  await expect(putAll()).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
})
