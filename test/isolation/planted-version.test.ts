// A fault planted in the kernel: some snapshots are closed too early, so that the versions that only they could see are
// freed while transactions still read from them. The JavaScript build of the kernel is wrapped for that.
import { expect, it, vi } from 'vitest'
import { violationsOf } from '../support/history/check.ts'
import { historyInMemory } from './in-memory.ts'

const planted = vi.hoisted(() => ({ isOn: false }))

vi.mock('../../src/kernel/generated/javascript.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../src/kernel/generated/javascript.ts')>()
  return {
    ...original,
    createJavaScriptKernel: () => withFault(original.createJavaScriptKernel())
  }
})

interface Snapshots {
  openSnapshot(): number
  closeSnapshot(snapshot: number): void
}

/** Lets the kernel forget every fourth snapshot while it is still read from; none is closed twice. */
function withFault<Kernel extends Snapshots>(kernel: Kernel): Kernel {
  const forgotten: number[] = []
  let opened = 0
  return {
    ...kernel,
    openSnapshot: () => {
      const snapshot = kernel.openSnapshot()
      if (planted.isOn && ++opened % 4 === 0) {
        kernel.closeSnapshot(snapshot)
        forgotten.push(snapshot)
      }
      return snapshot
    },
    closeSnapshot: (snapshot: number) => {
      const at = forgotten.indexOf(snapshot)
      if (at < 0) kernel.closeSnapshot(snapshot)
      else forgotten.splice(at, 1)
    }
  }
}

const run = () => historyInMemory({ isolation: 'snapshot', clients: 8, seed: 1 }, 2_000, { wasm: 'off' })

it('a version that is freed one snapshot too early is caught, and without the fault there is nothing to catch', {
  timeout: 60_000
}, async () => {
  expect(violationsOf(await run(), 'snapshot')).toEqual([])
  planted.isOn = true
  const found = violationsOf(await run(), 'snapshot')
  planted.isOn = false
  expect(found).not.toEqual([])
})
