// As in `owners.ts`, without Node's.

import { onDemand } from '../kernel/on-demand.ts'
import type { Owners } from './owners.ts'

export async function ownersHere(): Promise<Owners> {
  return await onDemand('connect', () => import('./tab-owners.ts'))
}
