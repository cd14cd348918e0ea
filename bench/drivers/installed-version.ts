import { readFileSync } from 'node:fs'

/** Version of a package as installed here; benchmarks run from the top of the repository. */
export function installedVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))
  return String(version)
}
