// Which files the build for browsers consists of. Bundlers leave out whole files only, and every file is compressed on
// its own; so there are as few as can be told apart:
//
//   common    what pages that connect and workers that open both need
//   engine    what workers that open need besides
//
// and one for each part that is loaded later, or that only other entries need, as Rolldown sees fit.
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const index = join(root, 'src/index.ts')
const opening = join(root, 'src/db/open.ts')
const connecting = join(root, 'src/host/connect.ts')

/** @typedef {import('rolldown').ChunkingContext} ChunkingContext */

/**
 * @param {string} entry
 * @param {ChunkingContext} context
 */
function loadedAtOnce(entry, context) {
  const found = new Set([entry])
  for (const id of found) for (const next of context.getModuleInfo(id)?.importedIds ?? []) found.add(next)
  return found
}

/** @type {{ opening: Set<string>, connecting: Set<string> } | undefined} */
let sets

/**
 * @param {string} id
 * @param {ChunkingContext} context
 */
function nameOf(id, context) {
  sets ??= { opening: loadedAtOnce(opening, context), connecting: loadedAtOnce(connecting, context) }
  if (!sets.opening.has(id) || id === opening) return null
  const info = context.getModuleInfo(id)
  // A constant that the index exports would have everybody load the file that it is in.
  const isPublicConstant = info?.importers.includes(index) === true && info.importedIds.length === 0
  return sets.connecting.has(id) || isPublicConstant ? 'common' : 'engine'
}

/** @type {NonNullable<import('rolldown').OutputOptions['codeSplitting']>} */
export const browserChunks = { includeDependenciesRecursively: false, groups: [{ name: nameOf }] }
