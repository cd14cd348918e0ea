/**
 * The kernel's JavaScript build as a script to be put before that of `tab-worker-source.ts`, where WebAssembly is
 * forbidden or not wanted. Whatever bundles this file puts the text here (`scripts/worker-sources.mjs`).
 */
export const kernelSource: string = ''
