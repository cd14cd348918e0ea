import { defineConfig } from 'vitest/config'
import { rolldownTwins } from './scripts/javascript-twins.mjs'

export default defineConfig({
  plugins: [rolldownTwins],
  define: { PLANTED_BUG: '0' },
  oxc: { target: 'node20' },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    restoreMocks: true
  }
})
