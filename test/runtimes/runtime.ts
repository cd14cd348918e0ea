// The runtimes that the library is for, as programs that run a script.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A runtime and how it runs a script. */
export interface Runtime {
  readonly name: string
  readonly program: string
  /** What stands before the script. */
  readonly flags: readonly string[]
}

const installed = (path: string): string => fileURLToPath(new URL(`./node_modules/${path}`, import.meta.url))

/** This one first. */
export const runtimes: readonly Runtime[] = [
  { name: `Node ${process.versions.node.split('.')[0]}`, program: process.execPath, flags: [] },
  { name: 'Node 22', program: installed('node22/bin/node'), flags: [] },
  { name: 'Node 24', program: installed('node24/bin/node'), flags: [] },
  { name: 'Deno', program: installed('@deno/linux-x64-glibc/deno'), flags: ['run', '--allow-all', '--no-prompt'] },
  { name: 'Bun', program: installed('@oven/bun-linux-x64/bin/bun'), flags: ['run'] }
]

/** The runtime of this name. Throws when it is not installed. */
export function runtimeNamed(name: string): Runtime {
  const found = runtimes.find(runtime => runtime.name === name)
  if (found !== undefined && existsSync(found.program)) return found
  throw new Error(`${name} is not installed: npm run test:runtimes installs it (on Linux, x64).`)
}
