import { spawnSync } from 'node:child_process'

/** Sees to it that the engines which are compiled on the spot are there (minutes, once). */
export function buildNativePeers(): void {
  const { status } = spawnSync(process.execPath, ['scripts/setup.mjs', '--peers'], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('the databases to compare with could not be built')
}
