import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleProgram, type Program } from '../support/child.ts'
import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { inDirectory } from '../support/in-directory.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'
import { describeSharing } from './sharing.ts'

const deno = runtimeNamed('Deno')
describeOutcomes('Deno', await runInRuntime(deno, new URL('./suite.ts', import.meta.url)))
describeSharing('Deno')

describe('Deno with the permissions that docs/platforms.md lists', { timeout: 60_000 }, () => {
  let program: Program
  beforeAll(async () => {
    program = await bundleProgram(new URL('./program.ts', import.meta.url))
  })
  afterAll(() => program.remove())

  const permissions = (location: string): string[] => [
    `--allow-read=${location}`,
    `--allow-write=${location}`,
    '--allow-net',
    '--allow-sys=hostname,statfs'
  ]

  const attempt = async (location: string, flags: readonly string[], mode = 'try'): Promise<string> => {
    const parameters = ['run', '--no-prompt', ...flags, program.path, mode, location]
    return (await promisify(execFile)(deno.program, parameters)).stdout.trim()
  }

  it.each(['try', 'connect'])('opens a database in a directory that is there (%s)', async mode => {
    const location = await inDirectory.newLocation()
    await mkdir(location)
    expect(await attempt(location, permissions(location), mode)).toBe('opened')
  })

  it.each(['--allow-read', '--allow-write', '--allow-net', '--allow-sys'])('misses %s and says so', async missing => {
    const location = await inDirectory.newLocation()
    await mkdir(location)
    const given = permissions(location).filter(flag => !flag.startsWith(missing))
    expect(await attempt(location, given)).toMatch(/^LIGHTNING_PERMISSION .* Deno does not allow it .*--allow-net/)
    expect(await attempt(location, given, 'connect')).toMatch(/^LIGHTNING_PERMISSION /)
  })
})
