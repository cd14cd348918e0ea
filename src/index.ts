export { LightningError, type LightningErrorCode, type LightningErrorDetails } from './errors.ts'
