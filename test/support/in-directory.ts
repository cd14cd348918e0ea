import { join } from 'node:path'
import type { Target } from './database.ts'
import { temporaryDirectory } from './directory.ts'

/** Databases in directories. */
export const inDirectory: Target = { keeps: true, newLocation: async () => join(await temporaryDirectory(), 'db') }
