import { join } from 'node:path'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { nodeVfs } from '../../src/vfs/node.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { describeVfs } from './contract.ts'

describeVfs({
  name: 'node',
  keepsReplacedFiles: true,
  make: async () => nodeVfs(join(await temporaryDirectory(), 'db'))
})

describeVfs({ name: 'memory', keepsReplacedFiles: true, make: async () => memoryVfs() })
