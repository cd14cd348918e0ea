import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'
import { full, inPrivate, ordinary } from './runs.ts'

describeOutcomes('Chromium', await runInBrowser('chromium', ordinary.runs, ordinary.options))
describeOutcomes('Chromium in a private window', await runInBrowser('chromium', inPrivate.runs, inPrivate.options))
describeOutcomes('Chromium with a small quota', await runInBrowser('chromium', full.runs, full.options))
