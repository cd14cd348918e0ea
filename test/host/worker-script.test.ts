// The option `worker`, where scripts are files.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/index.ts'
import { rejection } from '../support/database.ts'
import { temporaryDirectory } from '../support/directory.ts'

describe('the option worker', () => {
  it('is LIGHTNING_UNAVAILABLE when it names nothing that can be run, with the cause', async () => {
    const directory = await temporaryDirectory()
    const idle = join(directory, 'idle.mjs')
    await writeFile(idle, '')
    for (const worker of ['', 'no-path', 'https://example.org/worker.js', join(directory, 'absent.mjs'), idle]) {
      const error = await rejection('LIGHTNING_UNAVAILABLE', connect(':memory:', { worker }))
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  it('takes a path, and a URL as text or not', async () => {
    const directory = await temporaryDirectory()
    const said = join(directory, 'said.mjs')
    await writeFile(said, "throw new Error('here I am')")
    const url = pathToFileURL(said)
    for (const worker of [said, url, url.href]) {
      const error = await rejection('LIGHTNING_UNAVAILABLE', connect(':memory:', { worker }))
      expect(error.message).toContain('here I am')
    }
  })
})
