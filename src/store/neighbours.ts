import type { Extent } from './block-map.ts'

/** Extents that lie one directly behind the other: those with the numbers `from` to `to`, `to` excluded. */
export interface Neighbours extends Extent {
  readonly from: number
  readonly to: number
}

/** Puts extents together that can be read or written with one call, in their order. */
export function* neighbours(extents: readonly Extent[]): Iterable<Neighbours> {
  let from = 0
  let sectors = 0
  for (const [i, extent] of extents.entries()) {
    sectors += extent.sectors
    const first = extents[from]?.sector ?? 0
    if (extents[i + 1]?.sector === first + sectors) continue
    yield { sector: first, sectors, from, to: i + 1 }
    from = i + 1
    sectors = 0
  }
}
