import { SCAN_LOWER, SCAN_UPPER } from '../../assembly/scan.ts'
import { KEY, KEY2 } from '../../assembly/state.ts'
import type { Core } from './core.ts'

/** What is needed of the core to scan. */
export type ScannedCore = Pick<Core, 'kernel' | 'memory' | 'provide'>

/**
 * Calls the kernel's scan until it has what it needs. Returns the number of rows, which are in the kernel's OUT area.
 */
export function scanRange(
  core: ScannedCore,
  place: { readonly id: number; readonly root: number },
  snapshot: number,
  options: number,
  lower: Uint8Array | undefined,
  upper: Uint8Array | undefined,
  limit: number
): number {
  const { memory, kernel } = core
  const all = options | (lower === undefined ? 0 : SCAN_LOWER) | (upper === undefined ? 0 : SCAN_UPPER)
  while (true) {
    if (lower !== undefined) memory.bytes.set(lower, KEY)
    if (upper !== undefined) memory.bytes.set(upper, KEY2)
    const rows = kernel.exports.scan(place.id, place.root, snapshot, all, lower?.length ?? 0, upper?.length ?? 0, limit)
    if (rows >= 0) return rows
    core.provide(rows)
  }
}
