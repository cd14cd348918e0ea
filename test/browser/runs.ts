import type { Run, RunOptions } from './in-browser.ts'

interface Runs {
  readonly runs: readonly Run[]
  readonly options: RunOptions
}

/** What runs in every browser. */
export const ordinary: Runs = {
  runs: [
    { entry: new URL('./suite.ts', import.meta.url), where: 'worker' },
    { entry: new URL('./page.ts', import.meta.url), where: 'page' }
  ],
  options: { workers: [new URL('./opener.ts', import.meta.url)] }
}

/** What runs in every browser through clients in a page. */
export const clients: Runs = {
  runs: [{ entry: new URL('./client-suite.ts', import.meta.url), where: 'page' }],
  options: {}
}

/** What runs in a private window. */
export const inPrivate: Runs = {
  runs: [{ entry: new URL('./private-window.ts', import.meta.url), where: 'worker' }],
  options: { isPrivate: true }
}

/** What runs where little can be stored. */
export const full: Runs = {
  runs: [{ entry: new URL('./quota.ts', import.meta.url), where: 'worker' }],
  options: { quotaBytes: 24 << 20 }
}
