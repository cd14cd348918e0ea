import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'
import { full, inPrivate, ordinary } from './runs.ts'

describeOutcomes('Firefox', await runInBrowser('firefox', ordinary.runs, ordinary.options))
describeOutcomes('Firefox in a private window', await runInBrowser('firefox', inPrivate.runs, inPrivate.options))
describeOutcomes('Firefox with a small quota', await runInBrowser('firefox', full.runs, full.options))
