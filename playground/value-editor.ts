// One value as JSON, to be changed, stored under another key, or deleted.
import { type Atlas, replace } from './cities.ts'
import type { CommitTimes } from './commit-times.ts'
import { element, onEach, show } from './elements.ts'
import { milliseconds } from './figures.ts'

export class ValueEditor {
  readonly #atlas: Atlas
  readonly #times: CommitTimes
  readonly #changed: () => void
  readonly #key = element('key', HTMLInputElement)
  readonly #value = element('value', HTMLTextAreaElement)

  /** `changed` is called after every write. */
  constructor(atlas: Atlas, times: CommitTimes, changed: () => void) {
    this.#atlas = atlas
    this.#times = times
    this.#changed = changed
    const save = element('save', HTMLButtonElement)
    const remove = element('delete', HTMLButtonElement)
    const statusId = 'editor-status'
    onEach(element('editor', HTMLFormElement), 'submit', { statusId, button: save }, () => this.#save())
    onEach(remove, 'click', { statusId, button: remove }, () => this.#write(undefined, 'Deleted'))
    save.disabled = false
    remove.disabled = false
  }

  /** Shows the value of a key. */
  async open(key: string): Promise<void> {
    const value = await this.#atlas.database.get(key)
    this.#key.value = key
    this.#value.value = value === undefined ? '' : JSON.stringify(value, undefined, 2)
    show('editor-status', value === undefined ? 'This key is gone.' : '')
    this.#value.focus()
  }

  async #save(): Promise<void> {
    let value: unknown
    try {
      value = JSON.parse(this.#value.value)
    } catch (error) {
      this.#value.setAttribute('aria-invalid', 'true')
      throw new Error(`This is no JSON: ${error instanceof Error ? error.message : String(error)}`)
    }
    this.#value.removeAttribute('aria-invalid')
    await this.#write(value, 'Saved')
  }

  async #write(value: unknown, done: string): Promise<void> {
    const key = this.#key.value
    if (key === '') throw new Error('Choose a key first.')
    // What stood there is about an earlier write.
    show('editor-status', 'Writing…')
    const beganMs = performance.now()
    await this.#times.of(() => this.#replace(key, value))
    show('editor-status', `${done}; on the disk after ${milliseconds(performance.now() - beganMs)}.`)
    this.#changed()
  }

  #replace(key: string, after: unknown): Promise<void> {
    return this.#atlas.database.transaction(async tx => {
      await replace(this.#atlas, tx, key, { before: await tx.get(key), after })
    })
  }
}
