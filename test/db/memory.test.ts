import { inMemory } from '../support/database.ts'
import { describeConformance } from './conformance.ts'

describeConformance('in memory', inMemory)
