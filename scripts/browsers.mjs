// Where the browsers of the tests are, and how they get there: Debian's packages, installed by apt when they are missing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @typedef {'chromium' | 'firefox'} BrowserName */

/** @type {Readonly<Record<BrowserName, { variable: string, programs: string[], package: string }>>} */
const browsers = {
  chromium: {
    variable: 'CHROMIUM',
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    package: 'chromium'
  },
  firefox: { variable: 'FIREFOX', programs: ['firefox-esr', 'firefox'], package: 'firefox-esr' }
}

/** @type {BrowserName[]} */
export const browserNames = ['chromium', 'firefox']

/**
 * The path of the browser's program: what the variable CHROMIUM or FIREFOX says, or the first that is found in PATH.
 * @param {BrowserName} name
 */
export function findBrowser(name) {
  const { variable, programs } = browsers[name]
  const given = process.env[variable]
  if (given !== undefined && given !== '') return given
  const folders = (process.env.PATH ?? '').split(delimiter)
  return programs.flatMap(program => folders.map(folder => join(folder, program))).find(isProgram)
}

/** Installs the browsers that are missing. Returns a sentence that says what could not be done, or undefined. */
export function installBrowsers() {
  const missing = browserNames.filter(name => findBrowser(name) === undefined)
  if (missing.length === 0) return undefined
  const packages = missing.map(name => browsers[name].package)
  console.log(`setup: installing ${packages.join(' and ')}`)
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive']
  const installed =
    run([...asRoot, 'apt-get', 'update', '-qq']) &&
    run([...asRoot, 'apt-get', 'install', '--yes', '-qq', '--no-install-recommends', ...packages])
  const still = browserNames.filter(name => findBrowser(name) === undefined)
  if (installed && still.length === 0) return undefined
  const variables = still.map(name => browsers[name].variable).join(', ')
  return (
    `The tests need ${still.join(' and ')}, and apt could not install ${packages.join(' and ')} (it needs root and a ` +
    `network). Install them in your way; ${variables} may say where they are.`
  )
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @param {string[]} command */
function run([program = '', ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
}
