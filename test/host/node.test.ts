import { describeConformance } from '../db/conformance.ts'
import { inDirectory } from '../support/in-directory.ts'

describeConformance('in a directory, of a client', { ...inDirectory, isRemote: true })
