// Lists the licences of everything installed. What users get along (run-time dependencies) must be under one of the
// permissive licences below; development tools are listed for information.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const allowed = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense'
])

/** @type {Record<string, { version?: string, license?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }>} */
const packages = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages

/**
 * What the installed package says of itself; the lock file's word where it is not installed (another system's binary).
 * @param {string} path
 * @param {string | undefined} fallback
 * @returns {string}
 */
function licenceOf(path, fallback) {
  const file = join(root, path, 'package.json')
  if (!existsSync(file)) return fallback ?? 'unknown'
  const { license, licenses } = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof license === 'string') return license
  return license?.type ?? licenses?.map((/** @type {{ type: string }} */ each) => each.type).join(' OR ') ?? 'unknown'
}

/**
 * One allowed choice is enough of an OR; every part of an AND must be allowed.
 * @param {string} licence
 */
function isAllowed(licence) {
  const plain = licence.replaceAll(/[()]/g, '')
  return plain.split(/\s+OR\s+/).some(choice => choice.split(/\s+AND\s+/).every(part => allowed.has(part)))
}

const entries = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({
    name: `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${entry.version}`,
    licence: licenceOf(path, entry.license),
    runTime: !entry.dev && !entry.devOptional
  }))

const runTime = entries.filter(entry => entry.runTime)
console.log('Run-time dependencies:')
for (const { name, licence } of runTime) console.log(`  ${name}: ${licence}`)

/** @type {Map<string, string[]>} */
const byLicence = new Map()
for (const { name, licence, runTime } of entries) {
  if (!runTime) byLicence.set(licence, [...(byLicence.get(licence) ?? []), name])
}
console.log('Development only:')
for (const [licence, names] of [...byLicence].sort((a, b) => b[1].length - a[1].length)) {
  console.log(`  ${licence}: ${names.length}${names.length <= 3 ? ` (${names.join(', ')})` : ''}`)
}

const refused = runTime.filter(({ licence }) => !isAllowed(licence))
for (const { name, licence } of refused) console.error(`not allowed at run time: ${name} (${licence})`)
process.exitCode = refused.length > 0 ? 1 : 0
