export { inPrivateFiles as here } from '../../support/in-private-files.ts'
