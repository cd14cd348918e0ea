// A worker that checks what it finds, and then writes one durable number after the other and tells the server of each.
import { open } from '../../src/index.ts'

async function report(body: object): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify(body) })
}

try {
  // A browser that was killed may hold its lock for some moments more.
  await navigator.locks.request('lightning-db:/killed', () => undefined)
  const db = await open<string, number>('killed', { walBytes: 1 << 20 })
  const last = db.get('last') ?? -1
  const isWhole = last < 0 || db.get(`at-${last % 500}`) === last
  const { problems } = await db.verify()
  await report({ opened: last, problems: isWhole ? problems.length : -1 })
  for (let i = last + 1; ; i++) {
    await db.batch([
      { type: 'put', key: 'last', value: i },
      { type: 'put', key: `at-${i % 500}`, value: i }
    ])
    await report({ wrote: i })
  }
} catch (error) {
  await report({ error: String(error) })
}
