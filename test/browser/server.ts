// A static server for pages of tests, which also takes what they report.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'

export interface ServerOptions {
  /** Files by path (`/index.html`): their content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** A directory for the paths that `files` does not have. */
  readonly directory?: string
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Gets what pages post to `/report`, in the order in which it comes. */
  readonly onReport?: (report: unknown) => void
}

export interface Server {
  /** `http://localhost:…`, which browsers take for secure. */
  readonly origin: string
  close(): Promise<void>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm'
}

/** Serves until it is closed, on a port that is free. */
export async function serve(options: ServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    origin: `http://localhost:${address.port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

async function answer(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (request.method === 'POST' && pathname === '/report') {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(Buffer.from(part))
    options.onReport?.(JSON.parse(Buffer.concat(parts).toString()))
    response.writeHead(204).end()
    return
  }
  const content = await contentOf(options, pathname === '/' ? '/index.html' : pathname)
  if (content === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': types[extname(pathname) || '.html'], ...options.headers }).end(content)
}

async function contentOf(options: ServerOptions, path: string): Promise<string | Uint8Array | undefined> {
  const held = options.files?.[path]
  if (held !== undefined || options.directory === undefined) return held
  try {
    return await readFile(join(options.directory, normalize(path)))
  } catch {
    return undefined
  }
}
