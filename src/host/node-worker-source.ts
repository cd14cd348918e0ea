/**
 * `node-worker.ts` as one script, so that the owner's thread is there wherever the package is, bundled or not. Whatever
 * bundles this file puts the text here (`scripts/worker-sources.mjs`).
 */
export const workerSource: string = ''
