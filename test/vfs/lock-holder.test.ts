import { hostname } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canSee, describeHolder, formatHolder, parseHolder, thisHolder } from '../../src/vfs/lock-holder.ts'

const holder = thisHolder('exclusive', 'beside', 'LOCK.7.0123456789ab.sock')

describe('what a lock file says of its holder', () => {
  it('is read back as it was written', () => {
    expect(parseHolder(formatHolder(holder))).toEqual(holder)
    expect(describeHolder(holder)).toContain(`process ${process.pid} `)
  })

  it('is not understood when any part of it is missing or of another type', () => {
    for (const name of Object.keys(holder)) {
      for (const value of [undefined, null, [], {}]) {
        expect(parseHolder(JSON.stringify({ ...holder, [name]: value }))).toBe(undefined)
      }
    }
  })

  it('is not understood when it was cut, and reading it never fails', () => {
    const text = formatHolder(holder).trim()
    for (let length = 0; length < text.length; length++) expect(parseHolder(text.slice(0, length))).toBe(undefined)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(parseHolder(text)).toBe(undefined)
      }),
      { seed: 1, numRuns: 200 }
    )
  })
})

describe('that nobody answers for a holder', () => {
  const onNetwork = () => true
  const local = () => false

  it('is the truth on the same machine', () => {
    expect(canSee(holder, onNetwork)).toBe(true)
  })

  it('is the truth after a restart of the machine, whatever it is called now', () => {
    expect(canSee({ ...holder, boot: 'earlier' }, onNetwork)).toBe(true)
    expect(canSee({ ...holder, boot: 'earlier', host: `not-${hostname()}` }, local)).toBe(true)
  })

  it('proves nothing of another machine that reaches the same disk', () => {
    expect(canSee({ ...holder, boot: 'other', host: `not-${hostname()}` }, onNetwork)).toBe(false)
  })

  // Windows and the Linux inside it: one machine by its name, and either sees none of the other's sockets.
  it.runIf(process.platform === 'linux')('proves nothing of a system of the same name that tells of no restart', () => {
    const elsewhere = { ...holder, boot: '', place: 'pipe' } as const
    expect(canSee(elsewhere, onNetwork)).toBe(false)
    expect(canSee(elsewhere, local)).toBe(true)
  })

  it('proves nothing where the temporary files are others', () => {
    const temporary = thisHolder('exclusive', 'temporary', 'lightning-0-LOCK.7.0123456789ab.sock')
    expect(canSee(temporary, local)).toBe(true)
    expect(canSee({ ...temporary, directoryId: '1:2' }, local)).toBe(false)
  })
})
