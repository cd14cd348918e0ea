// The main job of this repository, end to end: `npm start` puts the cities of the world into a database on disk, reads
// and changes them, and then kills the program in the middle of writing, again and again.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { allCities, openAtlas } from './atlas.ts'
import { load, read, update } from './chapters.ts'
import { crash, writerFlag, writeUntilKilled } from './crash.ts'
import { chapter, clocked, duration, line, print, size, title } from './report.ts'

async function main(): Promise<void> {
  await mkdir('.cache', { recursive: true })
  const directory = await mkdtemp(join('.cache', 'cities-'))
  try {
    const { ms } = await clocked(() => tell(directory))
    print(`\n  Done in ${duration(ms)}.\n`)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function tell(directory: string): Promise<void> {
  title('Lightning DB and the cities of the world')
  const cities = allCities()
  const atlas = await openAtlas(directory)
  await load(atlas, cities)
  await read(atlas, cities)
  await update(atlas)
  await atlas.database.close()
  chapter('Closing and opening again')
  const opening = await clocked(() => openAtlas(directory))
  const { database } = opening.result
  const { file } = database.stats()
  line('opened', duration(opening.ms), `${size(file.bytes)} in ${relative('.', database.location)}`)
  const checking = await clocked(() => database.verify())
  const { ok, pages, entries } = checking.result
  if (!ok) throw new Error('the database is damaged')
  line('every page, key and checksum', 'sound', `${pages} pages, ${entries} entries in ${duration(checking.ms)}`)
  await database.close()
  await crash(directory, cities.length)
}

const [, , flag, directory, round] = process.argv
if (flag === writerFlag && directory !== undefined) await writeUntilKilled(directory, Number(round))
else await main()
