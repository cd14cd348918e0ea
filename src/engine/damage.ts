import type { LightningError } from '../errors.ts'
import { corrupt } from '../store/failures.ts'
import { sectorBytes } from '../store/format.ts'
import type { Core } from './core.ts'

/** The error of `what`, which begins at a sector of the data file and is not as it was written. */
export function damaged(core: Core, what: string, sector: number): LightningError {
  const offset = sector * sectorBytes
  return corrupt(`${what} is damaged (byte ${offset} of ${core.data.file.name}).`, {
    file: core.data.file.name,
    offset
  })
}
