import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Browser, newProfile, type Profile, startBrowser } from '../browser/browser.ts'
import { serve } from '../browser/server.ts'
import { deferred } from '../support/deferred.ts'
import type { Report } from './app.ts'
import { bundlers } from './bundlers.ts'
import { newProject, type Project } from './packed.ts'

/** Forbids WebAssembly, scripts made from texts, and everything that is not of this site. */
const strict = { 'content-security-policy': "default-src 'self'" }
const withoutWasm = { 'content-security-policy': "default-src 'self'; worker-src 'self' blob:" }

const opened = [
  ['a', { deep: [1] }],
  ['b', 2]
]
const connected = { answer: 42 }

/** `npm test` takes the most used bundler, none, and one browser; `npm run test:runtimes` all. */
const isShort = process.env.ALL_BUNDLERS !== 'yes'
const names = isShort ? (['chromium'] as const) : (['chromium', 'firefox'] as const)
const taken = bundlers.filter(({ name }) => !isShort || name === 'Vite' || name === 'no bundler')

let project: Project
const profiles: Profile[] = []
const browsers = new Map<string, Browser>()
beforeAll(async () => {
  project = await newProject()
  for (const name of names) {
    const profile = await newProfile()
    profiles.push(profile)
    browsers.set(name, await startBrowser(name, profile))
  }
}, 120_000)
afterAll(async () => {
  for (const browser of browsers.values()) await browser.close()
  for (const profile of profiles) await profile.remove()
  await project.remove()
})

/** What the page reports. Every server is a site of its own, so nothing is there before. */
async function visit(name: string, directory: string, headers: Record<string, string> = {}): Promise<Report> {
  const reported = deferred<Report>()
  const onReport = (report: unknown): void => {
    if (isReport(report)) reported.resolve(report)
  }
  const server = await serve({ directory, headers, onReport })
  try {
    const page = await browsers.get(name)?.open(server.origin)
    const report = await reported.promise
    await page?.close()
    return report
  } finally {
    await server.close()
  }
}

describe.each(taken.map(bundler => [bundler.name, bundler] as const))('a page made by %s', (_, bundler) => {
  let inside = ''
  let external = ''
  beforeAll(async () => {
    inside = await bundler.bundle(project, false)
    external = await bundler.bundle(project, true)
  }, 120_000)

  describe.each(names)('in %s', { timeout: 60_000 }, name => {
    it('has kernel and owner in its scripts', async () => {
      const report = await visit(name, inside)
      expect(report).toMatchObject({ opened, connected })
      expect(report.loaded.filter(path => path.endsWith('.wasm'))).toEqual([])
    })

    it('has kernel and owner as files of their own', async () => {
      const report = await visit(name, external)
      expect(report).toMatchObject({ opened, connected })
      expect(report.loaded.filter(path => path.endsWith('.wasm')).length).toBeGreaterThan(0)
    })

    it('runs without WebAssembly where the policy forbids it', async () => {
      const report = await visit(name, external, strict)
      expect(report).toMatchObject({ opened, connected })
    })

    it('runs without WebAssembly in an owner from its scripts, too', async () => {
      const report = await visit(name, inside, withoutWasm)
      expect(report).toMatchObject({ opened, connected })
    })

    it('says what is missing where the policy forbids the owner', async () => {
      const report = await visit(name, inside, strict)
      expect(report).toMatchObject({ opened, connected: 'LIGHTNING_UNAVAILABLE' })
    })
  })
})

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'loaded' in value
}
