export { LightningError, type LightningErrorCode, type LightningErrorDetails, lightningErrorCodes } from './errors.ts'
