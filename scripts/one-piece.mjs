// The rule for what is built as one piece: the parts that `onDemand` would load later are in it from the beginning. A
// worker's script has nowhere to load them from; and a server must be able to make its backup when the package has been
// replaced under it. The kernel's other build stays out of Node's: no server needs it.
import { readFile } from 'node:fs/promises'

const place = /[\\/]src[\\/](?:db|engine|host)[\\/][\w-]+\.ts$/
const later = /\(\) => import\('(\.[^']+)'\)/g

/**
 * @param {string} path
 * @returns {Promise<string | undefined>} TypeScript; undefined: as it is
 */
async function inOnePiece(path) {
  const text = await readFile(path, 'utf8')
  /** @type {string[]} */
  const imports = []
  const whole = text.replace(later, (_, imported) => {
    const name = `part${imports.length}`
    imports.push(`import * as ${name} from '${imported}'\n`)
    return `async () => ${name}`
  })
  return imports.length === 0 ? undefined : whole + imports.join('')
}

/** @type {import('esbuild').Plugin} */
export const esbuildOnePiece = {
  name: 'one-piece',
  setup(build) {
    build.onLoad({ filter: place }, async ({ path }) => {
      const contents = await inOnePiece(path)
      return contents === undefined ? undefined : { contents, loader: 'ts' }
    })
  }
}

/** For Rolldown and Vite. */
export const rolldownOnePiece = {
  name: 'one-piece',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} id */
  async load(id) {
    const code = place.test(id) ? await inOnePiece(id) : undefined
    return code === undefined ? undefined : { code, moduleType: /** @type {const} */ ('ts') }
  }
}
