import { afterEach, describe, expect, test, vi } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import { errorField } from '../../src/host/wire-error.ts'

/** A worker that notes what it is sent and ends its task when it is told to. */
class NotingWorker {
  static received: unknown[] = []
  onmessage: ((event: { readonly data: unknown }) => void) | null = null
  onerror: unknown = null

  postMessage(message: unknown): void {
    NotingWorker.received.push(message)
    const isAbort = typeof message === 'object' && message !== null && 'abort' in message
    if (!isAbort) return
    const error = errorField(new LightningError('LIGHTNING_ABORTED', 'The operation was aborted by its signal.'))
    queueMicrotask(() => this.onmessage?.({ data: { error } }))
  }

  terminate(): void {
    NotingWorker.received.push('ended')
  }
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.doUnmock('../../src/host/tab-owners.ts')
  vi.resetModules()
  NotingWorker.received = []
})

describe('a task of a worker', () => {
  test('whose signal fires before its worker is there is aborted all the same', async () => {
    vi.stubGlobal('Worker', NotingWorker)
    const { runInWorker } = await import('../../src/host/worker-task.ts')
    const controller = new AbortController()
    const running = runInWorker('restore', ['from', 'to'], { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(running).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED', cause: new Error('enough') })
    expect(NotingWorker.received).toEqual([{ task: 'restore', parameters: ['from', 'to'] }, { abort: true }, 'ended'])
  })

  test('whose script cannot be loaded says so', async () => {
    vi.doMock('../../src/host/tab-owners.ts', () => {
      throw new Error('the server is gone')
    })
    const { runInWorker } = await import('../../src/host/worker-task.ts')
    await expect(runInWorker('repair', [], {})).rejects.toMatchObject({ code: 'LIGHTNING_UNAVAILABLE' })
    const { ownersHere } = await import('../../src/host/owners.browser.ts')
    await expect(ownersHere()).rejects.toMatchObject({ code: 'LIGHTNING_UNAVAILABLE' })
  })
})
