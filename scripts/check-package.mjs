// Packs the package as it would be published and looks at it from outside: publint for what package.json promises,
// are-the-types-wrong for what TypeScript would find. ESM only, so a require() of it is not held against it; the worker
// and the kernel are files to be named, not imported.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const room = mkdtempSync(join(tmpdir(), 'lightning-db-package-'))

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32'
  })
  if (error) throw error
  return status === 0
}

try {
  const packed =
    run('npm', ['run', '--silent', 'build']) && run('npm', ['pack', '--silent', '--pack-destination', room])
  const [name] = readdirSync(room)
  if (!packed || !name) throw new Error('the package cannot be packed')
  const file = join(room, name)
  const sound = run('npx', ['--no-install', 'publint', '--strict', file])
  const typed = run('npx', [
    '--no-install',
    'attw',
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    'worker',
    'kernel.wasm',
    '--',
    file
  ])
  process.exitCode = sound && typed ? 0 : 1
} finally {
  rmSync(room, { recursive: true, force: true })
}
