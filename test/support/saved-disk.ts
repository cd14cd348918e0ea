import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SimulatedDisk } from './simulated-disk.ts'

/** Writes the files of a simulated disk into `folder`. Of the zeros that a log was filled with ahead, few are kept. */
export function saveDisk(disk: SimulatedDisk, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const file of disk.names) {
    const bytes = disk.bytes(file)
    const end = file.startsWith('wal')
      ? Math.ceil((bytes.findLastIndex(byte => byte !== 0) + 1) / 4_096) * 4_096
      : bytes.length
    writeFileSync(join(folder, file), bytes.subarray(0, end))
  }
}
