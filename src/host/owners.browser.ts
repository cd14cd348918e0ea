// As in `owners.ts`, without Node's.

import type { Owners } from './owners.ts'

export async function ownersHere(): Promise<Owners> {
  return await import('./tab-owners.ts')
}
