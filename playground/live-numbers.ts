// What `stats()` says, twice a second while somebody looks, and the latencies of this tab's commits.
import type { EngineStats } from '../src/index.ts'
import type { Atlas } from './cities.ts'
import type { CommitTimes } from './commit-times.ts'
import { draw, element, show } from './elements.ts'
import { bytes, integer, milliseconds, percentile } from './figures.ts'

const pulseMs = 40
const height = 120
/** Room for the figures at the left. */
const scaleWidth = 52

export function showNumbers(stats: EngineStats): void {
  const { cache, file, log, sequence } = stats
  const usedBytes = cache.bytes - cache.freePages * stats.pages.size
  element('cache-meter', HTMLMeterElement).value = usedBytes / cache.limitBytes
  show(
    'cache-text',
    `${bytes(usedBytes)} of ${bytes(cache.limitBytes)}, ${integer(cache.dirtyPages)} pages to be written`
  )
  show('misses', integer(cache.misses))
  show('evictions', integer(cache.evictions))
  show('shortcuts', integer(cache.shortcutHits))
  show('file-bytes', bytes(file.bytes))
  show('log-bytes', bytes(log.liveBytes))
  show('sequence', integer(sequence))
  show('commits-per-sync', log.syncs === 0 ? '–' : (log.commits / log.syncs).toFixed(1))
}

/** A bar for each of the last commits, on a scale of powers of ten: 0.1 ms to 1 s. */
export function showLatencies(times: CommitTimes): void {
  const { recent } = times
  if (recent.length === 0) return
  const chart = element('latency-chart', SVGSVGElement)
  const width = chart.clientWidth
  const top = (ms: number): number => height - (Math.min(4, Math.max(0.06, Math.log10(ms) + 1)) / 4) * (height - 6)
  const step = (width - scaleWidth) / times.limit
  const lines = [1, 10, 100].flatMap(ms => [
    draw('line', { class: 'grid', x1: scaleWidth, x2: width, y1: top(ms), y2: top(ms) }),
    draw('text', { class: 'tick', x: scaleWidth - 6, y: top(ms) + 4, 'text-anchor': 'end' }, `${ms} ms`)
  ])
  const bars = recent.map((ms, i) => {
    const x = width - (recent.length - i) * step
    return draw('rect', { class: 'commit', x, y: top(ms), width: Math.max(1, step - 1), height: height - top(ms) })
  })
  chart.replaceChildren(...lines, ...bars)
  const median = milliseconds(percentile(recent, 0.5))
  const high = milliseconds(percentile(recent, 0.99))
  chart.setAttribute('aria-label', `The last ${recent.length} commits: median ${median}, 99th percentile ${high}`)
  show('latency-median', median)
  show('latency-high', high)
}

/** A write every 40 ms while the button is pressed; one that takes longer delays the next. */
export function writesSteadily(atlas: Atlas, times: CommitTimes): void {
  const button = element('pulse', HTMLButtonElement)
  let count = 0
  const beat = async (): Promise<void> => {
    if (button.getAttribute('aria-pressed') !== 'true') return
    try {
      await times.of(() => atlas.pulse.put(`beat-${count++ % 500}`, Date.now()))
    } catch (error) {
      button.setAttribute('aria-pressed', 'false')
      throw error
    }
    setTimeout(beat, pulseMs)
  }
  button.addEventListener('click', () => {
    const isOn = button.getAttribute('aria-pressed') === 'true'
    button.setAttribute('aria-pressed', String(!isOn))
    void beat()
  })
  button.disabled = false
}
