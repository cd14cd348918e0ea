// Looking after the database in turn, while the traffic goes on where it may.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { open, restore } from '../../src/index.ts'
import { spaceNames } from './population.ts'
import type { Traffic } from './traffic.ts'
import { type Journal, soakOptions, WrongAnswer, type World } from './world.ts'

export const careKinds = ['checkpoint', 'compare', 'compact', 'backup', 'verify', 'restore', 'reopen'] as const
export type CareKind = (typeof careKinds)[number]

export class Care {
  readonly #world: World
  readonly #traffic: Traffic
  readonly #backups: string
  readonly counts: Record<CareKind, number> = {
    checkpoint: 0,
    compare: 0,
    compact: 0,
    backup: 0,
    verify: 0,
    restore: 0,
    reopen: 0
  }

  /** `backups` is a directory for copies, which are removed again. */
  constructor(world: World, traffic: Traffic, backups: string) {
    this.#world = world
    this.#traffic = traffic
    this.#backups = backups
  }

  async take(kind: CareKind): Promise<void> {
    const world = this.#world
    if (kind === 'checkpoint') await world.db.checkpoint()
    else if (kind === 'compact') await world.db.compact()
    else if (kind === 'verify') await verify(world.db)
    else if (kind === 'compare') await this.#traffic.pausedFor(async () => world.compare())
    else if (kind === 'backup') await this.#backup()
    else if (kind === 'restore') await this.#restore()
    else await this.#traffic.pausedFor(() => world.reopen())
    this.counts[kind]++
  }

  /** Everything at rest: no traffic, nothing held open. */
  async last(): Promise<void> {
    this.#world.compare()
    await verify(this.#world.db)
    await this.#world.db.close()
  }

  /** While writes go on; the copy says after which of them it was taken. */
  async #backup(): Promise<void> {
    await this.#copied(async place => {
      const journal = this.#world.follow()
      await this.#world.db.backup(place)
      await this.#compareCopy(place, journal)
    })
  }

  async #restore(): Promise<void> {
    await this.#copied(async place => {
      const journal = this.#world.follow()
      await this.#world.db.backup(join(place, 'backup'))
      await restore(join(place, 'backup'), join(place, 'restored'))
      await this.#compareCopy(join(place, 'restored'), journal)
    })
  }

  async #compareCopy(place: string, journal: Journal): Promise<void> {
    const copy = await open(place, { ...soakOptions, readOnly: true })
    try {
      const versions = journal.at(copy.sequence())
      for (const [space, name] of spaceNames.entries()) {
        this.#world.compareSpace(space, name === '' ? copy : copy.sublevel(name), versions[space] ?? new Uint32Array())
      }
      this.#world.compareBank(copy.sublevel<string, number>('bank', { valueEncoding: 'json' }))
    } finally {
      await copy.close()
    }
  }

  async #copied(act: (place: string) => Promise<void>): Promise<void> {
    const remove = () => rmSync(this.#backups, { recursive: true, force: true })
    remove()
    await act(this.#backups)
    remove()
  }
}

async function verify(db: World['db']): Promise<void> {
  const { ok, problems } = await db.verify()
  if (!ok) throw new WrongAnswer(`verify found ${JSON.stringify(problems.slice(0, 5))}`)
}
