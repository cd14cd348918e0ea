import type { Slice } from './node-latin1.ts'

/** As in `node-latin1.ts`: browsers have none, and a `Buffer` that a bundler has put in its place is no faster. */
export const latin1Slice: Slice | undefined = undefined
