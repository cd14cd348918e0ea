// For coverage: lets the library run the kernel's JavaScript build with a source map, so that what is counted are the
// lines of assembly/. WebAssembly has no coverage of its own.
import { bundleJavaScript } from './build-kernel.mjs'

const javaScript = /[\\/]src[\\/]kernel[\\/]generated[\\/]javascript\.ts$/
const wasm = /[\\/]src[\\/]kernel[\\/]generated[\\/]wasm\.ts$/

export const measuredKernel = {
  name: 'measured-kernel',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} id */
  async load(id) {
    const [path = ''] = id.split('?')
    if (javaScript.test(path)) return splitSourceMap(await bundleJavaScript(undefined, { sourcemap: true }))
    return undefined
  },
  /**
   * No module in there: the loader then takes the JavaScript build.
   * @param {string} code
   * @param {string} id
   */
  transform(code, id) {
    const [path = ''] = id.split('?')
    return wasm.test(path) ? { code: code.replace(/wasmBase64 = .*/, "wasmBase64 = ''"), map: null } : undefined
  }
}

/** @param {string} text with its source map inline */
function splitSourceMap(text) {
  const marker = '//# sourceMappingURL=data:application/json;base64,'
  const at = text.lastIndexOf(marker)
  const end = text.indexOf('\n', at)
  const map = Buffer.from(text.slice(at + marker.length, end < 0 ? undefined : end), 'base64').toString()
  return { code: text.slice(0, at) + (end < 0 ? '' : text.slice(end)), map: JSON.parse(map) }
}
