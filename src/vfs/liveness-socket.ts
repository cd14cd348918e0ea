import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, existsSync, openSync, symlinkSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LightningError } from '../errors.ts'
import { discardFile } from './discard.ts'
import { guarded, systemCodeOf, systemError } from './system-error.ts'

// Whether the holder of a lock is alive is found out by connecting to a local socket on which it listens. The system
// closes the socket when the thread or process ends, however that happens, and a listening socket accepts connections
// even while its owner is busy for minutes. (A process number proves nothing: numbers are reused, differ between
// containers, and a process may outlive its worker.)

/** A socket that is listening: the sign of life of this thread. */
export interface LivenessSocket {
  /** Stops listening and removes the socket's file. May be called again. */
  close(): Promise<void>
}

/** Takes a connection from somebody who may want more than to find out whether this thread is alive. */
export type Visitor = (socket: Socket) => void

/**
 * What a connection to a socket shows. `refused`: nobody listens to the socket that is there; on systems other than
 * Linux it may also be that the queue of connections is full. `unclear`: the system does not let us find out.
 */
export type Liveness = 'alive' | 'dead' | 'refused' | 'unclear'

/**
 * Listens in `directory` (on Windows, the directory of pipes) under `name`, which nobody must have used before. That
 * does not keep the process running. With a `visitor`, only processes of the same user can connect; others cannot find
 * out whether this thread is alive.
 */
export async function listenForLiveness(directory: string, name: string, visitor?: Visitor): Promise<LivenessSocket> {
  const server = createServer(socket => {
    // Whoever has connected only to see whether that works may have gone already.
    socket.on('error', () => {})
    if (visitor === undefined) socket.destroy()
    else visitor(socket)
  })
  try {
    await withShortPath(directory, name, path => listen(server, path, visitor === undefined))
    // Until here the umask decides who may connect, as it does for the files of the database.
    if (visitor !== undefined && process.platform !== 'win32') chmodSync(join(directory, name), 0o600)
  } catch (error) {
    // It may be listening already, and would keep the process running.
    if (server.listening) {
      discardFile(join(directory, name))
      server.close()
    }
    throw systemError(error, 'listen on a socket in', directory)
  }
  // A failed accept (no descriptors left) loses that visitor, not the socket.
  server.on('error', () => {})
  server.unref()
  return {
    async close() {
      if (!server.listening) return
      // First the file, by its real path: the one it was bound by may be a detour that ended long ago.
      if (process.platform !== 'win32') discardFile(join(directory, name))
      // The system takes no more connections from here on; that those there are end is not waited for.
      server.close()
    }
  }
}

/** Finds out whether somebody listens in `directory` under `name`. */
export async function probeLiveness(directory: string, name: string): Promise<Liveness> {
  try {
    await withShortPath(directory, name, connectOnce)
    return 'alive'
  } catch (error) {
    switch (systemCodeOf(error)) {
      case 'ECONNREFUSED':
        return 'refused'
      case 'ENOENT': // No file,
      case 'ENOTDIR':
      case 'ENOTSOCK': // or one of another kind.
      case 'EPROTOTYPE':
      case 'EINVAL':
      case 'ELOOP':
      case 'ENAMETOOLONG':
        return 'dead'
      case 'EAGAIN': // More visitors wait than the queue holds: its owner is busy.
      case 'EBUSY':
      case 'ECONNRESET': // It was there to hang up.
      case 'EPIPE':
        return 'alive'
      case 'EACCES':
      case 'EPERM':
        return 'unclear'
      default:
        throw systemError(error, 'ask who holds the lock of', directory)
    }
  }
}

/** Connects to whoever listens in `directory` under `name`. Rejects with the system's error. */
export async function visit(directory: string, name: string): Promise<Socket> {
  return await withShortPath(directory, name, path => connectTo(path))
}

async function listen(server: Server, path: string, isForAll: boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // exclusive: a cluster worker must listen itself, its primary would go on when it is dead.
    // readable, writable: another user's process must be able to ask.
    server.listen({ path, exclusive: true, readableAll: isForAll, writableAll: isForAll }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function connectOnce(path: string): Promise<void> {
  const socket = await connectTo(path)
  socket.on('error', () => {})
  socket.destroy()
}

async function connectTo(path: string): Promise<Socket> {
  return await new Promise<Socket>((resolve, reject) => {
    const socket = createConnection({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** The system's bound is 107 bytes on Linux, 103 on macOS. Node 20 cuts a longer path silently and uses another. */
const longestSocketPathBytes = 103

/** Runs `use` with a path to `directory`/`name` that is short enough for a socket, valid until its promise settles. */
async function withShortPath<T>(directory: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(directory, name)
  if (process.platform === 'win32' || Buffer.byteLength(path) <= longestSocketPathBytes) return await use(path)
  const detour = shortDetour(directory)
  try {
    const short = join(detour.path, name)
    if (Buffer.byteLength(short) > longestSocketPathBytes) throw tooLong(short)
    return await use(short)
  } finally {
    detour.end()
  }
}

/**
 * A short path to a directory: by an open descriptor where the system has paths for those, otherwise a temporary link.
 */
function shortDetour(directory: string): { path: string; end: () => void } {
  const fd = openSync(directory, 'r')
  const path = `/proc/self/fd/${fd}`
  if (existsSync(join(path, '.'))) return { path, end: () => closeSync(fd) }
  closeSync(fd)
  const link = join(tmpdir(), `ldb-${randomBytes(6).toString('hex')}`)
  guarded('make the link', link, () => symlinkSync(directory, link))
  return { path: link, end: () => discardFile(link) }
}

/** Says nothing of whether somebody listens there, unlike a name that the system itself finds too long. */
function tooLong(path: string): LightningError {
  const message =
    `Cannot reach a socket at ${path}: the path is too long. Choose a shorter path for the database, or for temporary ` +
    'files (TMPDIR).'
  return new LightningError('LIGHTNING_IO', message, { file: path })
}
