/** Where the scenes are played: in memory, and in browsers in their private files (see `where.browser.ts`). */
export { inMemory as here } from '../../support/database.ts'
