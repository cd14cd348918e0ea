import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'
import { clients } from './runs.ts'

describeOutcomes('Chromium', await runInBrowser('chromium', clients.runs, clients.options))
