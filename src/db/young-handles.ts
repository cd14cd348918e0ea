import { backgroundTimer } from '../engine/background-timer.ts'

/** A handle that the garbage collector is to watch if it lives long. */
export interface YoungHandle {
  readonly isOpen: boolean
  /** Its place among the young ones; only their list changes it. */
  youngPlace: number
  watch(): void
}

/** Handles are watched when they are so old, or twice that. */
const youngMs = 25

/**
 * Handles that are not watched yet: most end before long, and watching one costs more than all else about it, for the
 * collector has to keep a list of what is watched.
 */
export class YoungHandles {
  #young: YoungHandle[] = []
  #aging: YoungHandle[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Calls `handle.watch()` before long unless it has been removed, or has ended, by then. */
  add(handle: YoungHandle): void {
    handle.youngPlace = this.#young.length
    this.#young.push(handle)
    this.#timer ??= this.#startTimer()
  }

  remove(handle: YoungHandle): void {
    if (!removeFrom(this.#young, handle)) removeFrom(this.#aging, handle)
  }

  /** Forgets all. */
  end(): void {
    clearTimeout(this.#timer)
    this.#young = []
    this.#aging = []
  }

  #startTimer(): ReturnType<typeof setTimeout> {
    return backgroundTimer(() => {
      for (const handle of this.#aging) if (handle.isOpen) handle.watch()
      this.#aging = this.#young
      this.#young = []
      this.#timer = this.#aging.length > 0 ? this.#startTimer() : undefined
    }, youngMs)
  }
}

function removeFrom(handles: YoungHandle[], handle: YoungHandle): boolean {
  const at = handle.youngPlace
  if (handles[at] !== handle) return false
  const last = handles.pop()
  if (last === undefined || last === handle) return true
  handles[at] = last
  last.youngPlace = at
  return true
}
