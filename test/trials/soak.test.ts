// The soak itself, for seconds: it passes, and with a fault planted in its traffic it fails and says what is wrong. How
// much may grow is generous, for memory has hardly warmed up.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Latency, Sample } from '../../fuzz/soak/sample.ts'
import { complaintsOf } from '../../fuzz/soak/verdict.ts'
import { bundleProgram, type Program } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { Random } from '../support/random.ts'

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('../../fuzz/soak.ts', import.meta.url))
})
afterAll(() => program.remove())

async function soak(...args: string[]): Promise<{ code: number; output: string; directory: string }> {
  const directory = join(await temporaryDirectory(), 'soak')
  const all = ['--expose-gc', program.path, '--seconds', '4', '--rate', '600', '--tolerance', '0.4', '--dir', directory]
  return await new Promise(resolve => {
    execFile(process.execPath, [...all, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr, directory })
    })
  })
}

describe('a soak', { timeout: 120_000 }, () => {
  test('passes, takes every kind of care, and leaves nothing behind', async () => {
    const { code, output, directory } = await soak()
    expect(output).toMatch(/operations at 600 a second, all answers right/)
    expect(output).not.toMatch(/\b0 × /)
    expect(code, output).toBe(0)
    expect(existsSync(directory)).toBe(false)
  })

  test('fails when memory and descriptors leak', async () => {
    const { code, output } = await soak('--plant', 'leak')
    for (const name of ['external memory', 'descriptors']) expect(output).toMatch(`FAILED: ${name} grew by`)
    expect(output).toContain('again: npm run soak -- ')
    expect(code).toBe(1)
  })

  test('fails at the first answer that is wrong', async () => {
    const { code, output } = await soak('--plant', 'lie')
    expect(output).toMatch(/FAILED: WrongAnswer: .*key \d+ of keyspace '\w*' is of version/)
    expect(code).toBe(1)
  })
})

describe('the verdict', () => {
  const limits = { tolerance: 0.05, mostDataBytes: 1 << 30, mostLogBytes: 1 << 30 }
  const mib = 1 << 20
  const latency: Latency = { p50: 50, p99: 500, max: 5_000 }

  /** An hour, a sample a minute, memory noisy by a tenth. */
  function hour(at: (minute: number, random: Random) => Partial<Sample>, random = new Random(3)): Sample[] {
    return Array.from({ length: 60 }, (_, minute) => ({
      at: minute * 60,
      life: 1,
      rate: 400,
      cpu: 0.3,
      rssBytes: (120 + random.below(12)) * mib,
      heapBytes: 12 * mib,
      externalBytes: 16 * mib,
      wasmBytes: 10 * mib,
      descriptors: 27,
      dataBytes: (20 + (minute % 7)) * mib,
      logBytes: 4 * mib,
      latency: { get: latency, put: latency, commit: latency, eventLoop: latency },
      ...at(minute, random)
    }))
  }

  test('on an hour that is noisy but flat has nothing to say', () => {
    for (let seed = 1; seed <= 50; seed++)
      expect(
        complaintsOf(
          hour(() => ({}), new Random(seed)),
          limits
        )
      ).toEqual([])
  })

  test('does not mind the warm-up, nor single samples', () => {
    const samples = hour(minute => (minute < 12 || minute === 55 ? { rssBytes: (60 + minute * 5) * mib } : {}))
    expect(complaintsOf(samples, limits)).toEqual([])
  })

  test('tells of memory that creeps within its noise', () => {
    const samples = hour((minute, random) => ({ rssBytes: (120 + random.below(12) + minute / 3) * mib }))
    expect(complaintsOf(samples, limits)).toEqual([expect.stringMatching(/^resident memory grew by \d+ \(1\d\.\d %\)/)])
  })

  test('tells of one descriptor more', () => {
    const samples = hour(minute => ({ descriptors: minute < 35 ? 27 : 28 }))
    expect(complaintsOf(samples, limits)).toEqual([expect.stringMatching(/^descriptors grew .* since 2100 s$/)])
  })

  test('tells of reads that become slower', () => {
    const samples = hour(minute => ({
      latency: {
        get: { p50: 50 + minute * 10, p99: 900, max: 900 },
        put: latency,
        commit: latency,
        eventLoop: latency
      }
    }))
    expect(complaintsOf(samples, limits)).toEqual([expect.stringMatching(/^get p50/)])
  })

  test('tells of a file that grows', () => {
    const samples = hour(minute => ({ dataBytes: (20 + (minute % 7) + minute / 4) * mib }))
    expect(complaintsOf(samples, limits)).toEqual([expect.stringMatching(/^data file grew by/)])
  })

  test('tells of a file above its bound', () => {
    const samples = hour(minute => (minute === 40 ? { dataBytes: 2 ** 31 } : {}))
    expect(complaintsOf(samples, limits)).toEqual([expect.stringMatching(/^data file: 2147483648 bytes at 2400 s/)])
  })

  test('compares a process with itself, not with the one before it', () => {
    const samples = hour(minute => (minute < 30 ? {} : { life: 2, rssBytes: 300 * mib, descriptors: 40 }))
    expect(complaintsOf(samples, limits)).toEqual([])
  })
})
