// The package as it would be published, installed in a directory of its own.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** A project that has installed the package. */
export interface Project {
  readonly directory: string
  /** Writes a file of the project, by its path from the directory. */
  write(path: string, content: string): Promise<void>
  remove(): Promise<void>
}

/** Packs `dist/` as it is (npm run build makes it) and installs that. */
export async function newProject(): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'lightning-project-'))
  await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: root })
  const [archive = ''] = await readdir(directory)
  await run('tar', ['-xzf', archive], { cwd: directory })
  await mkdir(join(directory, 'node_modules'))
  await rename(join(directory, 'package'), join(directory, 'node_modules/lightning-db'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  return {
    directory,
    async write(path, content) {
      const target = join(directory, path)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content)
    },
    remove: () => rm(directory, { recursive: true, force: true })
  }
}
