// Disks of the tests' own: small ones, full ones, ones that cannot be written. They are file systems in memory, and need
// the right to mount.
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { appendFile, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface SmallDisk {
  /** Its root; anybody may write there. */
  readonly directory: string
  /** Bytes that it can still take. */
  free(): number
  /** Has somebody else take all that is free but for so many bytes. */
  crowd(leaveBytes?: number): Promise<void>
  /** Somebody else gives that back. */
  uncrowd(): Promise<void>
  /** From now on it can only be read, or be written again. */
  remount(mode: 'ro' | 'rw'): void
}

/** Why disks cannot be mounted here, if so; undefined when they can. */
export const mountingFails: string | undefined = tryMounting()

/** A disk of so many bytes, gone when the test has ended. */
export async function smallDisk(bytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'lightning-disk-'))
  mount(['-t', 'tmpfs', '-o', `size=${bytes},mode=1777`, 'tmpfs', directory])
  onTestFinished(async () => {
    execFileSync('umount', ['-l', directory])
    await rmdir(directory)
  })
  const ballast = join(directory, 'ballast')
  const free = () => {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  }
  return {
    directory,
    free,
    async crowd(leaveBytes = 0) {
      await appendFile(ballast, new Uint8Array(Math.max(0, free() - leaveBytes)))
    },
    uncrowd: () => rm(ballast),
    remount: mode => mount(['-o', `remount,${mode}`, directory])
  }
}

function mount(options: readonly string[]): void {
  execFileSync('mount', options, { stdio: 'pipe' })
}

function tryMounting(): string | undefined {
  if (process.platform !== 'linux') return `no file systems in memory are known on ${process.platform}`
  try {
    // In a namespace of its own, which takes the mount with it.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}
