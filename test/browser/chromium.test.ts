import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInBrowser } from './in-browser.ts'

describeOutcomes('Chromium', await runInBrowser('chromium', new URL('./suite.ts', import.meta.url)))
