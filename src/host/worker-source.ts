/**
 * The program of the owner's thread as one script, so that it is there wherever the package is, bundled or not. Whatever
 * bundles this file puts the text here (`scripts/worker-source.mjs`).
 */
export const workerSource: string = ''
