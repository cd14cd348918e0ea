// What the parts of the page share: finding an element as what it is, and making one.

/** The element with this id. Throws when there is none, or it is something else. */
export function element<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`)
  return found
}

/** Shows text in an element that only holds text. */
export function show(id: string, text: string): void {
  const target = element(id, HTMLElement)
  if (target.textContent !== text) target.textContent = text
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text = '',
  className = ''
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  if (text !== '') made.textContent = text
  if (className !== '') made.className = className
  return made
}

/** An element of a drawing. */
export function draw<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>>,
  text = ''
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  if (text !== '') made.textContent = text
  return made
}

/** Runs `work` at every such event and shows what it throws in `statusId`; meanwhile `button` cannot be pressed. */
export function onEach(
  target: EventTarget,
  event: string,
  { statusId, button }: { readonly statusId: string; readonly button?: HTMLButtonElement },
  work: () => Promise<void> | void
): void {
  target.addEventListener(event, async happened => {
    happened.preventDefault()
    if (button !== undefined) button.disabled = true
    try {
      await work()
    } catch (error) {
      show(statusId, error instanceof Error ? error.message : String(error))
    } finally {
      if (button !== undefined) button.disabled = false
    }
  })
}
