import { expect, it, onTestFinished, vi } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import { type Repeatable, runWithRetries } from '../../src/txn/retry.ts'
import { inMemory, openNew, rejection } from '../support/database.ts'
import { deferred } from '../support/deferred.ts'
import { nextTurn } from '../support/next-turn.ts'

/** A transaction whose commit is applied, and then lost because it could not be made durable. */
class LostWhenApplied implements Repeatable {
  loss: LightningError | undefined
  readonly isApplied = true
  readonly wasEndedByCaller = false
  readonly ending = undefined
  readonly #meanwhile: () => void

  constructor(meanwhile: () => void) {
    this.#meanwhile = meanwhile
  }

  async commitOrLose(): Promise<void> {
    this.#meanwhile()
    this.loss = new LightningError('LIGHTNING_CONFLICT', 'What it saw was taken back.')
    throw this.loss
  }

  rollback(): void {}
}

const unwatched = { unwatch: () => undefined }

it('a signal that fires while a commit is made durable ends the attempts when the commit is lost after all', async () => {
  const controller = new AbortController()
  let attempts = 0
  const begin = () => {
    attempts++
    const transaction = new LostWhenApplied(() => controller.abort('enough'))
    return { transaction, handle: unwatched }
  }
  const options = { retries: 3, timeoutMs: undefined, signal: controller.signal }
  const error = await rejection(
    'LIGHTNING_ABORTED',
    runWithRetries(begin, () => undefined, options)
  )
  expect(error.cause).toBe('enough')
  expect(attempts).toBe(1)
})

it('a turn that comes after the signal has fired is passed on, once', async () => {
  const controller = new AbortController()
  const [turn, passed] = [deferred(), vi.fn()]
  const running = runWithRetries(
    () => {
      throw new Error('It begins all the same.')
    },
    () => undefined,
    { retries: 0, timeoutMs: undefined, signal: controller.signal },
    { enter: () => turn.promise, pass: passed }
  )
  controller.abort()
  await rejection('LIGHTNING_ABORTED', running)
  expect(passed).not.toHaveBeenCalled()
  turn.resolve()
  await turn.promise
  expect(passed).toHaveBeenCalledOnce()
})

it('a signal that does not fire leaves every attempt', async () => {
  let attempts = 0
  const begin = () => {
    attempts++
    return { transaction: new LostWhenApplied(() => undefined), handle: unwatched }
  }
  const options = { retries: 2, timeoutMs: undefined, signal: new AbortController().signal }
  await rejection(
    'LIGHTNING_CONFLICT',
    runWithRetries(begin, () => undefined, options)
  )
  expect(attempts).toBe(3)
})

it('a body that does not wait for its own commit is run again when that has lost, and nothing is left unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const db = await openNew(inMemory)
  let attempts = 0
  await db.transaction(async tx => {
    attempts++
    tx.put('a', attempts)
    if (attempts === 1) await db.put('a', 'another')
    void tx.commit()
  })
  await nextTurn()
  expect([attempts, db.get('a'), unhandled]).toEqual([2, 2, []])
})
