// The page: connects to the database and keeps its parts up to date, whichever tab has changed something.
import { connect } from '../src/index.ts'
import type { Atlas } from './cities.ts'
import { CommitTimes } from './commit-times.ts'
import { element, show } from './elements.ts'
import { KeyBrowser } from './key-browser.ts'
import { showLatencies, showNumbers, writesSteadily } from './live-numbers.ts'
import { runsMicrobenchmarks } from './microbenchmarks.ts'
import { PageHeatMap } from './page-heat-map.ts'
import { loadsAndClears } from './sample-data.ts'
import { countTabs } from './tab-count.ts'
import { togglesTheme } from './theme.ts'
import { Transfers } from './transfers.ts'
import { ValueEditor } from './value-editor.ts'

const refreshMs = 500

/** Small, so that the cities do not fit in and the map has something to show. */
const cacheBytes = 8 << 20

let map: PageHeatMap | undefined
togglesTheme(() => map?.draw())
runsMicrobenchmarks()
start().catch(fail)

async function start(): Promise<void> {
  const database = await connect<string, unknown>('playground', { cacheBytes, walBytes: 8 << 20 })
  const byPopulation = database.sublevel<string, string>('by-population')
  const atlas: Atlas = { database, byPopulation, pulse: database.sublevel<string, number>('pulse') }
  const times = new CommitTimes(150)
  let seen = -1
  const changed = (): void => {
    seen = -1
  }
  const editor = new ValueEditor(atlas, times, changed)
  const keys = new KeyBrowser(atlas, key => editor.open(key).catch(fail))
  const transfers = new Transfers(atlas, times, changed)
  const pages = new PageHeatMap(database)
  map = pages
  const showTabs = countTabs()
  loadsAndClears(atlas, times, () => {
    transfers.chooseAnew()
    changed()
  })
  writesSteadily(atlas, times)

  const count = await database.count()
  if (count > 0) show('load-status', `${count.toLocaleString('en')} keys are here from before.`)
  const chip = element('connection', HTMLElement)
  chip.dataset.state = 'open'
  show('connection', 'Connected')

  while (true) {
    if (document.visibilityState === 'visible') {
      const stats = await database.stats()
      showNumbers(stats)
      showLatencies(times)
      await showTabs()
      await pages.refresh()
      // Another tab's commits count too: there is one number for all.
      if (stats.sequence !== seen) {
        seen = stats.sequence
        await keys.refresh()
        await transfers.offer()
      }
    }
    await new Promise(resolve => setTimeout(resolve, refreshMs))
  }
}

function fail(error: unknown): void {
  const notice = element('failure', HTMLElement)
  notice.hidden = false
  notice.textContent = `The database cannot be used: ${error instanceof Error ? error.message : String(error)}`
  const chip = element('connection', HTMLElement)
  chip.dataset.state = 'failed'
  chip.textContent = 'Not connected'
}
