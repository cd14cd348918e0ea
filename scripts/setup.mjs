// Brings a checkout to where the library can be run: dependencies installed as package-lock.json says, kernel built,
// with --dist the package too, with --peers also the databases that benchmarks compare with. Does only what is missing
// or out of date, and needs nothing installed itself.
//
// Install scripts of dependencies do not run (.npmrc): nothing but a benchmark's peer needs one, and that one compiles
// for minutes.
//
// With --browsers it also sees that the browsers of the tests are there, with --runtimes Deno, Bun and other versions of
// Node, which have packages of their own in test/runtimes/.
//
// node scripts/setup.mjs [--dist] [--peers] [--browsers] [--runtimes]
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installBrowsers } from './browsers.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Whether every package of the folder's lock file is installed in its version; those for other systems may be missing.
 * @param {string} folder
 */
function dependenciesInstalled(folder) {
  const installedLock = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(installedLock)) return false
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true
    const found = installed[path]
    if (!found) return entry.optional === true || entry.devOptional === true || entry.peer === true
    return found.version === entry.version && found.integrity === entry.integrity
  })
}

/** Whether the newest of the package's outputs is newer than everything it is made from. */
function packageBuilt() {
  const output = join(root, 'dist/index.js')
  if (!existsSync(output)) return false
  const built = statSync(output).mtimeMs
  const folders = ['src', 'assembly'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
  )
  return [...folders, 'package.json', 'tsdown.config.mjs'].every(name => statSync(join(root, name)).mtimeMs <= built)
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args, folder = root) {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32'
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

if (!dependenciesInstalled(root)) {
  console.log('setup: installing dependencies')
  run('npm', ['ci', '--no-audit', '--no-fund'])
}
run(process.execPath, [join(root, 'scripts/build-kernel.mjs')])
if (process.argv.includes('--dist') && !packageBuilt()) run('npm', ['run', '--silent', 'build:package'])
if (process.argv.includes('--peers') && !existsSync(join(root, 'node_modules/better-sqlite3/build/Release'))) {
  console.log('setup: compiling better-sqlite3')
  run('npm', ['rebuild', 'better-sqlite3', '--ignore-scripts=false', '--foreground-scripts=false'])
}
const runtimes = join(root, 'test/runtimes')
if (process.argv.includes('--runtimes') && !dependenciesInstalled(runtimes)) {
  console.log('setup: installing Deno, Bun and other versions of Node for the tests')
  run('npm', ['ci', '--no-audit', '--no-fund'], runtimes)
}
if (process.argv.includes('--browsers')) {
  const failure = installBrowsers()
  if (failure !== undefined) {
    console.error(`setup: ${failure}`)
    process.exit(1)
  }
}
