// How many tabs have the page open: each holds a web lock, shared, for as long as it lives.
import { show } from './elements.ts'

const name = 'playground-tab'

/** Shows the number once now and then again whenever it is called. */
export function countTabs(): () => Promise<void> {
  navigator.locks.request(name, { mode: 'shared' }, () => new Promise<never>(() => undefined))
  return async () => {
    const { held = [] } = await navigator.locks.query()
    const count = held.filter(lock => lock.name === name).length
    show('tab-count', count === 1 ? '1 tab' : `${count} tabs share it`)
  }
}
