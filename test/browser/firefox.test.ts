import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'

describeOutcomes('Firefox', await runInBrowser('firefox', new URL('./suite.ts', import.meta.url)))
