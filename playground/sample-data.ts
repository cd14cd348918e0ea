// Loads the cities: one file, unpacked as it comes, stored batch by batch, and its progress shown.
import type { BatchOperation } from '../src/index.ts'
import { type Atlas, batchSize, parseLine, sizeKey } from './cities.ts'
import type { CommitTimes } from './commit-times.ts'
import { element, onEach, show } from './elements.ts'
import { integer } from './figures.ts'

/** Connects the buttons; `changed` is called when rows may have come or gone. */
export function loadsAndClears(atlas: Atlas, times: CommitTimes, changed: () => void): void {
  const load = element('load', HTMLButtonElement)
  const clear = element('clear', HTMLButtonElement)
  const progress = element('load-progress', HTMLProgressElement)
  onEach(load, 'click', { statusId: 'load-status', button: load }, async () => {
    clear.disabled = true
    try {
      await loadCities(atlas, times, progress)
    } finally {
      clear.disabled = false
      changed()
    }
  })
  onEach(clear, 'click', { statusId: 'load-status', button: clear }, async () => {
    await times.of(() => atlas.database.clear())
    await atlas.database.dropSublevel('by-population')
    await atlas.database.checkpoint()
    progress.value = 0
    show('load-status', 'Everything is deleted.')
    changed()
  })
  load.disabled = false
  clear.disabled = false
}

async function loadCities(atlas: Atlas, times: CommitTimes, progress: HTMLProgressElement): Promise<void> {
  show('load-status', 'Loading the cities…')
  const beganMs = performance.now()
  const source = fetchLines()
  const total = Number((await source.next()).value)
  let stored = 0
  for await (const lines of inBatches(source)) {
    await times.of(() => atlas.database.batch(lines.flatMap(line => puts(atlas, line))))
    stored += lines.length
    progress.value = stored / total
    // Not every step, which nobody could listen to.
    if (stored % (batchSize * 10) === 0) show('load-status', `${integer(stored)} of ${integer(total)} cities`)
  }
  const seconds = (performance.now() - beganMs) / 1_000
  show('load-status', `${integer(stored)} cities, twice the entries, in ${seconds.toFixed(1)} s.`)
}

function puts(atlas: Atlas, line: string): BatchOperation<string, unknown>[] {
  const { key, city } = parseLine(line)
  return [
    { type: 'put', key, value: city },
    { type: 'put', sublevel: atlas.byPopulation, key: sizeKey(key, city.population), value: city.name }
  ]
}

/** The lines of the file; the first one says how many follow. */
async function* fetchLines(): AsyncGenerator<string, undefined> {
  const response = await fetch(new URL('./cities.bin', document.baseURI))
  if (!response.ok || response.body === null) throw new Error(`The cities cannot be fetched: ${response.status}.`)
  const reader = response.body
    .pipeThrough(new DecompressionStream('gzip'))
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let rest = ''
  while (true) {
    const { done, value } = await reader.read()
    if (done) break
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

async function* inBatches(lines: AsyncIterable<string>): AsyncGenerator<string[], undefined> {
  let batch: string[] = []
  for await (const line of lines) {
    batch.push(line)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  return undefined
}
