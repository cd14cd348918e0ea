import { unlinkSync } from 'node:fs'
import { systemCodeOf } from './system-error.ts'

/**
 * Removes a file of the lock if that can be done. One that stays does no harm: without a listener it counts as dead.
 */
export function discardFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
  }
}
