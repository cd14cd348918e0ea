// A worker that opens a database when it is told to, tells how that went, and writes until it is ended.
import { type Database, isLightningError, open } from '../../src/index.ts'

/** What it does and what it answers. */
export type Order = { readonly open: string; readonly readOnly?: boolean } | { readonly write: number }
export type Answer =
  | { readonly opened: true }
  | { readonly code: string; readonly message: string }
  | { readonly wrote: number }

let db: Database<string, unknown> | undefined

async function obey(order: Order): Promise<void> {
  if ('open' in order) {
    try {
      db = await open(order.open, { readOnly: order.readOnly })
      tell({ opened: true })
    } catch (error) {
      if (!isLightningError(error)) throw error
      tell({ code: error.code, message: error.message })
    }
    return
  }
  for (let i = order.write; ; i++) {
    await db?.batch([
      { type: 'put', key: 'last', value: i },
      { type: 'put', key: `at-${i % 500}`, value: i }
    ])
    tell({ wrote: i })
  }
}

function tell(answer: Answer): void {
  postMessage(answer)
}

addEventListener('message', ({ data }: MessageEvent<Order>) => obey(data))
