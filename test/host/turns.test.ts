// What a client sends in one turn of the event loop.
import { describe, expect, it, vi } from 'vitest'
import { ownerHere } from './pair.ts'

async function clientAndPosts() {
  const here = await ownerHere()
  const client = await here.client()
  await client.put('key', 0)
  const posts = vi.spyOn(here.ends()[0], 'post')
  return { client, posts }
}

describe('in one turn', () => {
  it('a few reads are sent together', async () => {
    const { client, posts } = await clientAndPosts()
    const reads = Array.from({ length: 100 }, () => client.get('key'))
    expect(posts).not.toHaveBeenCalled()
    expect(new Set(await Promise.all(reads))).toEqual(new Set([0]))
    expect(posts).toHaveBeenCalledTimes(1)
  })

  it('many reads are sent before the turn ends', async () => {
    const { client, posts } = await clientAndPosts()
    const reads = Array.from({ length: 1_000 }, () => client.get('key'))
    expect(posts.mock.calls.length).toBeGreaterThan(3)
    expect(new Set(await Promise.all(reads))).toEqual(new Set([0]))
  })

  it('writes are sent together, however many, for they share a sync', async () => {
    const { client, posts } = await clientAndPosts()
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => client.put('key', i)))
    expect(posts).toHaveBeenCalledTimes(1)
    expect(await client.get('key')).toBe(999)
  })

  it('reads see the writes before them, and not those after them', async () => {
    const { client } = await clientAndPosts()
    const seen: Promise<unknown>[] = []
    for (let i = 0; i < 1_000; i++) {
      seen.push(client.get('key'))
      if (i % 300 === 200) void client.put('key', i)
    }
    const found = await Promise.all(seen)
    expect([0, 200, 201, 500, 501, 800, 801, 999].map(i => found[i])).toEqual([0, 0, 200, 200, 500, 500, 800, 800])
  })
})
