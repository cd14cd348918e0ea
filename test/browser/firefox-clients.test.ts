import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'
import { clients } from './runs.ts'

describeOutcomes('Firefox', await runInBrowser('firefox', clients.runs, clients.options))
