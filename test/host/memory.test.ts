import { describeConformance } from '../db/conformance.ts'
import { inMemory } from '../support/database.ts'

describeConformance('in memory, of a client', { ...inMemory, isRemote: true })
