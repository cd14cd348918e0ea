import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Floor } from './floor.ts'
import { median } from './statistics.ts'

const probes = 100
/** Runs of probes on a disk at rest differ by up to a quarter from the best; one that has been written to needs twice as long. */
const tolerance = 1.5
/** So many runs of probes one after the other have to be as fast as the disk was, so far apart. */
const steadyRuns = 5
const pauseMs = 500
const longestMs = 60_000

/**
 * Waits for the disk. What engines have written and not synced is written by the system half a minute later, and after
 * some GB of writing a virtual disk syncs two or three times as slowly for a while, even if nothing is left to be written:
 * whoever is measured first would pay for what others wrote.
 */
export class DiskRest {
  readonly #directory: string
  /** ms, of the fastest run of probes so far: the disk at rest. */
  #least = Number.POSITIVE_INFINITY

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Learns how fast the disk is; to be called before anything is written. */
  async learn(): Promise<void> {
    for (let run = 0; run < steadyRuns; run++) await this.#probe()
  }

  /**
   * Has the system write out everything, and resolves when the disk is as fast as it has been at its best, or after a
   * minute; says what it has waited for.
   */
  async rest(): Promise<string> {
    const started = performance.now()
    await writeOutEverything()
    let steady = 0
    let last = Number.NaN
    while (steady < steadyRuns && performance.now() - started < longestMs) {
      last = await this.#probe()
      steady = last <= this.#least * tolerance ? steady + 1 : 0
      await delay(pauseMs)
    }
    const seconds = (performance.now() - started) / 1000
    return `${seconds.toFixed(1)} s for the disk: 4 KiB synced in ${last.toFixed(3)} ms, at best ${this.#least.toFixed(3)} ms`
  }

  async #probe(): Promise<number> {
    await mkdir(this.#directory, { recursive: true })
    const floor = new Floor(join(this.#directory, 'probe'))
    const times = Array.from({ length: probes }, () => {
      const started = performance.now()
      floor.syncEach(1)
      return performance.now() - started
    })
    floor.close()
    const time = median(times)
    this.#least = Math.min(this.#least, time)
    return time
  }
}

/** As far as this system has a command for it. */
function writeOutEverything(): Promise<void> {
  return new Promise(resolve => execFile('sync', () => resolve()))
}
