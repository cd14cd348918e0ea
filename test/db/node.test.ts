import { inDirectory } from '../support/in-directory.ts'
import { describeConformance } from './conformance.ts'

describeConformance('in a directory', inDirectory)
