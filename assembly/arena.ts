// Memory that is handed out once and never given back: table segments, frame groups, record groups, work areas.
import { growMemory, load32, memoryUnits, store32 } from './platform'
import { ARENA_END, ARENA_TOP } from './state'

/** The last address the arena may reach: growth to 4 GiB itself would make the size wrap to 0. */
const HIGHEST: u32 = 0xffff0000
/** Units of 64 KiB, 64 MiB in all. */
const LARGE_STEP: u32 = 1024

/** Takes `bytes` aligned to 64; 0 when memory cannot grow, and nothing has changed then. New memory is zero. */
export function take(bytes: u32): u32 {
  const at = load32(ARENA_TOP)
  const size: u32 = ((bytes + 63) & ~63) >>> 0
  if (size > HIGHEST - at) return 0
  const end = at + size
  if (end > load32(ARENA_END)) {
    const units: u32 = (end - load32(ARENA_END) + 65535) >>> 16
    // By an eighth at least, and by half while that is little: every growth replaces the host's buffer and sets its
    // garbage collector going, while memory that was never touched costs nothing.
    const room: u32 = (HIGHEST >>> 16) - memoryUnits()
    const eighth: u32 = memoryUnits() >>> 3
    const half: u32 = memoryUnits() >>> 1
    const some: u32 = half < LARGE_STEP ? half : LARGE_STEP
    const step: u32 = eighth < some ? some : eighth
    const more: u32 = step < room ? step : room
    if ((more <= units || growMemory(more) < 0) && growMemory(units) < 0) return 0
    store32(ARENA_END, (memoryUnits() << 16) >>> 0)
  }
  store32(ARENA_TOP, end)
  return at
}
