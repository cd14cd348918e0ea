import { describe, expect, it, vi } from 'vitest'
import type { Engine, VerifyProblem } from '../../src/engine/engine.ts'
import { type Anatomy, anatomyOf, type Extent } from '../support/anatomy.ts'
import { Random } from '../support/random.ts'
import { type OpenedPage, reseal } from '../support/resealed.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { openEngine, path, someText, utf8 } from './content.ts'

const options = { compression: 'none', walBytes: 1 << 20 } as const

/** A closed database with a sublevel and large values. */
async function filledDisk(): Promise<{ disk: SimulatedDisk; anatomy: Anatomy }> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), options)
  const random = new Random(3)
  for (const sublevel of ['', 'one']) {
    for (let i = 0; i < 200; i++) {
      engine.put(engine.tree(path(sublevel)), `key ${1_000 + i}`, utf8, someText(random, 100), utf8)
    }
  }
  engine.put(engine.tree(path('')), 'large', utf8, someText(random, 9_000), utf8)
  await engine.close()
  return { disk, anatomy: await anatomyOf(disk) }
}

function pick(anatomy: Anatomy, kind: Extent['kind'], tree = 0): Extent {
  const extent = anatomy.extents.find(found => found.kind === kind && found.tree === tree)
  if (extent === undefined) throw new Error(`There is no ${kind}`)
  return extent
}

/** Overwrites bytes of a file that a database has open. */
async function spoil(disk: SimulatedDisk, name: string, at: number): Promise<void> {
  const file = await disk.vfs().open(name)
  file.writeAt(new Uint8Array(16).fill(0x77), at)
  file.close()
}

/** What verify says when these places have been spoilt under the open database. */
async function problemsWith(places: (anatomy: Anatomy) => number): Promise<readonly VerifyProblem[]> {
  const { disk, anatomy } = await filledDisk()
  const engine = await openEngine(disk.vfs(), options)
  expect((await engine.verify()).problems).toEqual([])
  await spoil(disk, 'data.ldb', places(anatomy))
  const { ok, problems } = await engine.verify()
  expect(ok).toBe(false)
  await engine.close().catch(() => undefined)
  return problems
}

/** What verify says of a database in which a page was changed and all checksums put right. */
async function problemsAfter(
  pageOf: (anatomy: Anatomy) => number,
  change: (opened: OpenedPage, anatomy: Anatomy) => void
): Promise<readonly VerifyProblem[]> {
  const { disk, anatomy } = await filledDisk()
  await reseal(disk, pageOf(anatomy), opened => change(opened, anatomy))
  const engine: Engine = await openEngine(disk.vfs(), options)
  const { problems } = await engine.verify()
  await engine.close().catch(() => undefined)
  return problems
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

describe('verify', () => {
  it('says which file, page, place and keys a damaged leaf concerns, and what to run', async () => {
    const { disk, anatomy } = await filledDisk()
    const leaf = pick(anatomy, 'leaf', 2)
    const keys = anatomy.entries.filter(({ leaf: id }) => id === leaf.id).map(({ key }) => text(key))
    const engine = await openEngine(disk.vfs(), options)
    await spoil(disk, 'data.ldb', leaf.from + 100)
    const { problems } = await engine.verify()
    expect(problems).toHaveLength(1)
    const [problem] = problems
    expect(problem).toMatchObject({ file: 'data.ldb', page: leaf.id, offset: leaf.from, sublevel: ['one'] })
    const { from, to } = problem?.keyRange ?? {}
    for (const key of keys)
      expect((from === undefined || key >= text(from)) && (to === undefined || key < text(to))).toBe(true)
    expect(problem?.message).toMatch(/repair.*It concerns keys .* of the sublevel "one"\.$/)
    await engine.close()
  })

  it('names the key of a damaged large value', async () => {
    const [problem] = await problemsWith(anatomy => pick(anatomy, 'segment').from)
    expect(problem?.message).toContain('the key "large"')
    expect(text(problem?.keyRange?.from)).toBe('large')
  })

  it.each([0, 1])('finds damage of meta slot %i, which the next checkpoint cures', async slot => {
    const { disk } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    await spoil(disk, 'data.ldb', slot * 4_096 + 40)
    expect((await engine.verify()).problems).toMatchObject([{ file: 'data.ldb', offset: slot * 4_096 }])
    engine.put(engine.tree(path('')), 'new', utf8, 'value', utf8)
    await engine.checkpoint()
    expect((await engine.verify()).problems).toEqual([])
    await engine.close()
  })

  it('finds damage of the directory and of chunks on the disk', async () => {
    for (const kind of ['directory', 'chunk'] as const) {
      const [problem] = await problemsWith(anatomy => pick(anatomy, kind).from)
      expect(problem?.message).toContain('damaged on disk')
      const [ofCopy] = await problemsWith(anatomy => pick(anatomy, `${kind} copy`).from)
      expect(ofCopy?.message).toContain('Nothing is lost')
    }
  })

  it('finds damage of the log, which a checkpoint makes needless', async () => {
    const { disk } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    for (let i = 0; i < 20; i++) {
      engine.put(engine.tree(path('')), `later ${i}`, utf8, 'value', utf8)
      engine.flushSync()
    }
    expect((await engine.verify()).problems).toEqual([])
    const name = ['wal-0.ldb', 'wal-1.ldb'].find(log => disk.bytes(log).some(byte => byte !== 0)) ?? ''
    await spoil(disk, name, 600)
    const { problems } = await engine.verify()
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({
      file: name,
      message: expect.stringMatching(/commits \d+ to \d+ .*checkpoint/)
    })
    await engine.checkpoint()
    expect((await engine.verify()).problems).toEqual([])
    await engine.close()
  })

  it('finds keys out of order though every checksum is right', async () => {
    const problems = await problemsAfter(
      anatomy => pick(anatomy, 'leaf', 1).id,
      ({ page }) => {
        const slots = (64 + page.getUint16(8, true) + 3) & ~3
        const [one, other] = [page.getBigUint64(slots, true), page.getBigUint64(slots + 8, true)]
        page.setBigUint64(slots, other, true)
        page.setBigUint64(slots + 8, one, true)
      }
    )
    expect(problems[0]?.message).toContain('keys out of order')
  })

  it('finds a page of another keyspace', async () => {
    const problems = await problemsAfter(
      anatomy => pick(anatomy, 'leaf', 1).id,
      ({ page }) => page.setUint32(24, 2, true)
    )
    expect(problems[0]?.message).toContain('belongs to keyspace 2 but is reached from 1')
  })

  it('finds pages that are referred to twice or never', async () => {
    const problems = await problemsAfter(
      anatomy => pick(anatomy, 'branch', 1).id,
      ({ page }) => {
        const slots = (64 + page.getUint16(8, true) + 3) & ~3
        page.setUint32(20, page.getUint32(page.getUint16(slots + 4, true), true), true)
      }
    )
    const messages = problems.map(({ message }) => message).join('\n')
    expect(messages).toContain('is referred to twice')
    expect(messages).toContain('nothing refers to it')
  })

  it('follows a large value that leads back into itself no further than once around', async () => {
    const { disk, anatomy } = await filledDisk()
    const segment = pick(anatomy, 'segment').id
    await reseal(disk, segment, ({ entry }) => entry.setUint32(20, segment, true))
    const { leaf } = anatomy.entries.find(({ segments }) => segments.length > 0) ?? { leaf: 0 }
    await reseal(disk, leaf, ({ page }) => {
      const bytes = new Uint8Array(page.buffer, page.byteOffset, page.byteLength)
      const reference = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(
        Uint8Array.of(segment, 0, 0, 0, 0x28, 0x23)
      )
      page.setUint32(reference + 4, 0xffff_ffff, true)
    })
    const engine = await openEngine(disk.vfs(), options)
    const calls = disk.calls
    expect((await engine.verify()).problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`Page ${segment} is referred to twice`)
    )
    expect(disk.calls - calls).toBeLessThan(500)
    await engine.close()
  })

  it('finds a page of a commit that there is not', async () => {
    const problems = await problemsAfter(
      anatomy => pick(anatomy, 'leaf', 1).id,
      ({ entry }) => entry.setUint32(12, 1_000_000, true)
    )
    expect(problems[0]?.message).toContain('commit 1000000')
  })

  it('can be aborted, and tells how far it is', async () => {
    const { disk } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    await expect(engine.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    const told: number[] = []
    await engine.verify({ onProgress: ({ done, total }) => told.push(done / total) })
    expect(told.at(-1)).toBe(1)
    await engine.close()
  })

  it.each([true, false])('tells that the database was closed in any of its turns, readOnly: %s', async readOnly => {
    const disk = new SimulatedDisk()
    const written = await openEngine(disk.vfs(), options)
    const put = (key: string) => written.put(written.tree(path('')), key, utf8, 'value', utf8)
    put('in a page')
    await written.checkpoint()
    put('in the log')
    written.flushSync()
    const crashed = disk.kill()
    await written.close().catch(() => undefined)
    // Nothing to write: then the files are closed before the next turn.
    if (!readOnly) await (await openEngine(crashed.vfs(), options)).close()
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000))
    const outcomes = new Set<string>()
    try {
      // Until the close comes only at its end.
      for (let last = 1; !outcomes.has('0'); last++) {
        let turns = 0
        const engine = await openEngine(crashed.vfs(), { ...options, readOnly })
        const onProgress = () => {
          if (++turns === last) void engine.close()
        }
        const verified = engine.verify({ onProgress }).then(({ problems }) => problems.length)
        outcomes.add(await verified.then(String, (error: { code?: string }) => error.code ?? 'an internal error'))
        await engine.close()
      }
    } finally {
      clock.mockRestore()
    }
    expect([...outcomes].sort()).toEqual(['0', 'LIGHTNING_CLOSED'])
  })

  it('finds nothing wrong while every turn that it gives is used to write, to delete and for checkpoints', async () => {
    const engine = await openEngine(new SimulatedDisk().vfs(), { walBytes: 1 << 20, compression: 'none' })
    const random = new Random(11)
    const tree = engine.tree(path(''))
    const put = () => engine.put(tree, `key ${random.below(6_000)}`, utf8, someText(random, 1_000), utf8)
    for (let i = 0; i < 12_000; i++) put()
    await engine.checkpoint()
    // Every look at the clock finds the slice at its end.
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000))
    let turns = 0
    const checkpoints: Promise<void>[] = []
    try {
      const onProgress = ({ done, total }: { readonly done: number; readonly total: number }) => {
        turns++
        if (done < total && turns % 50 !== 0) return
        for (let i = 0; i < 60; i++) put()
        engine.del(tree, `key ${random.below(6_000)}`, utf8)
        if (done === total) checkpoints.push(engine.checkpoint())
      }
      expect((await engine.verify({ onProgress })).problems).toEqual([])
    } finally {
      clock.mockRestore()
    }
    expect(checkpoints.length).toBeGreaterThan(3)
    await Promise.all(checkpoints)
    expect((await engine.verify()).problems).toEqual([])
    await engine.close()
  })

  it('takes no block that its own snapshot keeps for one that nothing names', async () => {
    const engine = await openEngine(new SimulatedDisk().vfs(), { walBytes: 1 << 20, cacheBytes: 4 << 20 })
    const random = new Random(1)
    const put = (i: number) => engine.put(engine.tree(path('')), `key ${i}`, utf8, someText(random, 100), utf8)
    for (let i = 0; i < 2_000; i++) put(i)
    await engine.checkpoint()
    await engine.checkpoint()
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000))
    let checkpoint: Promise<void> | undefined
    try {
      const onProgress = () => {
        if (checkpoint !== undefined) return
        for (let i = 0; i < 2_000; i += 7) put(i)
        engine.flushSync()
        checkpoint = engine.checkpoint()
      }
      expect((await engine.verify({ onProgress })).problems).toEqual([])
    } finally {
      clock.mockRestore()
    }
    expect(checkpoint).toBeDefined()
    await checkpoint
    await engine.close()
  })
})
