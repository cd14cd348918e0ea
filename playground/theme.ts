// Light or dark: as the system says until the button says otherwise, which is remembered.
import { element } from './elements.ts'

/** `changed` is called when colours are different, for what is drawn with them. */
export function togglesTheme(changed: () => void): void {
  const button = element('theme', HTMLButtonElement)
  const root = document.documentElement
  const apply = (theme: string): void => {
    root.dataset.theme = theme
    button.setAttribute('aria-pressed', String(theme === 'dark'))
    changed()
  }
  apply(root.dataset.theme ?? 'light')
  button.addEventListener('click', () => {
    const theme = root.dataset.theme === 'dark' ? 'light' : 'dark'
    localStorage.setItem('theme', theme)
    apply(theme)
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ({ matches }) => {
    if (localStorage.getItem('theme') === null) apply(matches ? 'dark' : 'light')
  })
}
