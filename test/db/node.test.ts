import { inDirectory } from '../support/database.ts'
import { describeConformance } from './conformance.ts'

describeConformance('in a directory', inDirectory)
