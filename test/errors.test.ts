import { describe, expect, it } from 'vitest'
import { assert, InternalError, isLightningError, LightningError, lightningErrorCodes } from '../src/errors.ts'

describe('a LightningError', () => {
  it('carries its code, its cause and the place, and nothing that is not known', () => {
    const cause = new Error('the disk')
    const error = new LightningError('LIGHTNING_CORRUPT', 'Page 5 is damaged.', {
      cause,
      file: 'data.ldb',
      page: 5,
      offset: 4_096
    })
    expect(error).toBeInstanceOf(Error)
    expect({ ...error }).toEqual({ code: 'LIGHTNING_CORRUPT', file: 'data.ldb', page: 5, offset: 4_096 })
    expect([error.name, error.message, error.cause]).toEqual(['LightningError', 'Page 5 is damaged.', cause])
    const bare = new LightningError('LIGHTNING_CLOSED', 'The database is closed.')
    expect([...Object.keys(bare), 'cause' in bare]).toEqual(['code', false])
  })

  it('is told from other errors, by its code too', () => {
    const error = new LightningError('LIGHTNING_CLOSED', 'The database is closed.')
    expect(isLightningError(error)).toBe(true)
    expect(isLightningError(error, 'LIGHTNING_CLOSED')).toBe(true)
    expect(isLightningError(error, 'LIGHTNING_IO')).toBe(false)
    for (const other of [
      undefined,
      null,
      'LIGHTNING_CLOSED',
      { code: 'LIGHTNING_CLOSED', name: 'LightningError' },
      new Error('x')
    ]) {
      expect(isLightningError(other)).toBe(false)
    }
  })

  it('has every code once', () => {
    expect(new Set(lightningErrorCodes).size).toBe(lightningErrorCodes.length)
    for (const code of lightningErrorCodes) expect(code).toMatch(/^LIGHTNING_[A-Z_]+$/)
  })
})

describe('an assertion', () => {
  it('throws an InternalError that names the invariant', () => {
    expect(() => assert(false, 'a frame has one owner')).toThrow(InternalError)
    expect(() => assert(false, 'a frame has one owner')).toThrow(/a frame has one owner/)
    expect(() => assert(true, 'never seen')).not.toThrow()
  })
})
