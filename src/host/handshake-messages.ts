// The messages of the handshake: the versions of both sides, the options that are each client's own, and refusals.

import { isLightningError, LightningError } from '../errors.ts'
import { malformed, type Message } from './messages.ts'
import { answer, Fields, protocolName, protocolVersion } from './wire.ts'
import { errorField, errorOf } from './wire-error.ts'

/** What is each client's own. */
export interface Hello {
  readonly readOnly: boolean
  /** Whether writes are answered when they are durable. */
  readonly isStrict: boolean
  readonly wantsLog: boolean
  readonly errorIfExists: boolean
  /** Tells the client from all others, whatever channel it comes by. */
  readonly client?: string | undefined
}

/** What an owner tells a client first. */
export interface Welcome {
  readonly location: string
}

export function helloMessage({ readOnly, isStrict, wantsLog, errorIfExists, client }: Hello): Message {
  return [protocolName, protocolVersion, readOnly, isStrict, wantsLog, errorIfExists, client]
}

/** Throws `LIGHTNING_VERSION` for another version, `LIGHTNING_INVALID_ARGUMENT` for what is no first message. */
export function readHello(message: Message | undefined): Hello {
  if (message === undefined || message[0] !== protocolName) throw malformed('it does not begin with a greeting')
  const fields = new Fields(message, 1)
  checkVersion(fields.number())
  return {
    readOnly: fields.flag(),
    isStrict: fields.flag(),
    wantsLog: fields.flag(),
    errorIfExists: fields.flag(),
    client: fields.optionalText()
  }
}

export function welcomeMessage({ location }: Welcome): Message {
  return [0, answer.welcome, protocolVersion, location]
}

/** Instead of a welcome, or later: the owner refuses the client and ends the channel. */
export function refusalMessage(error: unknown): Message {
  return [0, answer.error, errorField(error), false]
}

/** Whether nobody can open the database, with whatever options. */
export function concernsEveryone(error: unknown): boolean {
  return isLightningError(error, 'LIGHTNING_CORRUPT') || isLightningError(error, 'LIGHTNING_VERSION')
}

/** Throws what the owner refuses with, `LIGHTNING_VERSION`, `LIGHTNING_INVALID_ARGUMENT`. */
export function readWelcome(message: Message | undefined): Welcome {
  if (message === undefined) throw malformed('it does not begin with a greeting')
  const fields = new Fields(message, 0)
  fields.number()
  const kind = fields.number()
  if (kind === answer.error) throw errorOf(fields.any())
  if (kind !== answer.welcome) throw malformed('it does not begin with a greeting')
  checkVersion(fields.number())
  return { location: fields.text() }
}

function checkVersion(version: number): void {
  if (version === protocolVersion) return
  throw new LightningError(
    'LIGHTNING_VERSION',
    `The other side of connect() speaks version ${version} of the protocol, this one version ${protocolVersion}. Use ` +
      'the same version of the package in all programs that share a database.'
  )
}
