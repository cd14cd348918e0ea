import type { NodeText } from './node-text.ts'

/** As in `node-text.ts`: browsers have none, and a `Buffer` that a bundler has put in its place is no faster. */
export const nodeText: NodeText | undefined = undefined
