// What the logger is told, which operators have when nobody listens for events.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import { Events } from '../../src/engine/events.ts'
import { Health } from '../../src/engine/health.ts'
import { openAt } from '../support/database.ts'
import { temporaryDirectory } from '../support/directory.ts'

/** A logger, and what it was told: level, sentence, details. */
function listening() {
  const lines: unknown[][] = []
  const at =
    (level: string) =>
    (...message: unknown[]) =>
      void lines.push([level, ...message])
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

describe('the logger', () => {
  it('is told that a database had not been closed, and how many commits were read from its log', async () => {
    const directory = await temporaryDirectory()
    const [location, copy] = [join(directory, 'original'), join(directory, 'copy')]
    const { lines, logger } = listening()
    const db = await openAt(location, { logger })
    await db.put('a', 1)
    await db.put('b', 2)
    await cp(location, copy, { recursive: true, filter: path => !path.includes('LOCK') && !path.includes('.sock') })
    await db.close()
    expect(lines.some(([level]) => level !== 'debug')).toBe(false)
    lines.length = 0
    await openAt(copy, { logger })
    const details = { location: copy, sequence: expect.any(Number), commits: 2 }
    expect(lines[0]).toEqual(['info', 'Opened a database that had not been closed', details])
  })

  it('is told how writing does, and of checkpoints', () => {
    const { lines, logger } = listening()
    const events = new Events(logger)
    const health = new Health(events)
    const full = new LightningError('LIGHTNING_DISK_FULL', 'The disk is full. Free some space.')
    health.refused(full)
    health.admitted(1)
    health.durable(1)
    health.tookBack(full, 1, true, undefined)
    events.emit('checkpoint', { lsn: 1, pages: 2, durationMs: 3 })
    expect(lines).toEqual([
      ['warn', 'Writing is disturbed', expect.objectContaining({ state: 'full', cause: full })],
      ['info', 'Writing works again', expect.objectContaining({ lsn: 1 })],
      ['error', 'Writing has failed until the next opening', expect.objectContaining({ state: 'failed' })],
      ['debug', 'A checkpoint is durable', { lsn: 1, pages: 2, durationMs: 3 }]
    ])
  })
})
