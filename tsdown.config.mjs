import { defineConfig } from 'tsdown'
import { rolldownTwins } from './scripts/javascript-twins.mjs'

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  outDir: 'dist',
  sourcemap: true,
  dts: true,
  clean: true,
  inputOptions: { checks: { pluginTimings: false } },
  fixedExtension: false,
  plugins: [rolldownTwins],
  define: { PLANTED_BUG: '0' },
  deps: { neverBundle: [/^node:/] }
})
