// Real browsers, driven from a test: started with a profile of their own, so that what they store lies on the disk and
// outlives them, as it does for a user. (In a private context it would be kept in memory.)
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Browser as Driver, type Page } from 'puppeteer-core'
import { type BrowserName, findBrowser } from '../../scripts/browsers.mjs'

export type { BrowserName } from '../../scripts/browsers.mjs'

/** A running browser. */
export interface Browser {
  readonly name: BrowserName
  /** As it names itself, with its version. */
  readonly version: string
  /** Opens a tab. */
  open(url: string): Promise<Page>
  close(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Where a browser keeps what it stores; several browsers may use it one after the other. */
export interface Profile {
  readonly path: string
  remove(): Promise<void>
}

/** An empty one, in a directory whose disk is to be used. */
export async function newProfile(directory = tmpdir()): Promise<Profile> {
  const path = await mkdtemp(join(directory, 'lightning-browser-'))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 20 }) }
}

const chromiumArguments = [
  // Root may not have a sandbox, and tests run as root in containers.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run'
]

/** Nothing that goes out by itself, and nothing that asks. */
const firefoxPreferences = {
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'dom.storageManager.prompt.testing': true,
  'dom.storageManager.prompt.testing.allow': true
}

/** What is changed for a test. */
export interface BrowserSettings {
  /** What a site may store, in bytes. */
  readonly quotaBytes?: number
  /** Every window is a private one. */
  readonly isPrivate?: boolean
}

/** Starts a browser. Throws when it is not installed. */
export async function startBrowser(
  name: BrowserName,
  profile: Profile,
  settings: BrowserSettings = {}
): Promise<Browser> {
  const executablePath = findBrowser(name)
  if (executablePath === undefined) throw new Error(`${name} is not installed: npm run setup installs it.`)
  const options = { executablePath, userDataDir: profile.path, headless: true, protocolTimeout: 600_000 }
  const driver =
    name === 'chromium'
      ? await puppeteer.launch({ ...options, browser: 'chrome', args: chromiumArguments })
      : await puppeteer.launch({
          ...options,
          browser: 'firefox',
          extraPrefsFirefox: {
            ...firefoxPreferences,
            ...firefoxQuota(settings.quotaBytes),
            'browser.privatebrowsing.autostart': settings.isPrivate ?? false
          }
        })
  return new DrivenBrowser(name, await driver.version(), driver, profile, settings)
}

/** All sites together get so much in KiB, and each one a fifth of it. */
function firefoxQuota(bytes: number | undefined): Record<string, number> {
  return bytes === undefined ? {} : { 'dom.quotaManager.temporaryStorage.fixedLimit': Math.ceil(bytes / 1_024) * 5 }
}

class DrivenBrowser implements Browser {
  readonly name: BrowserName
  readonly version: string
  readonly #driver: Driver
  readonly #profile: Profile
  readonly #settings: BrowserSettings

  constructor(name: BrowserName, version: string, driver: Driver, profile: Profile, settings: BrowserSettings) {
    this.name = name
    this.version = version
    this.#driver = driver
    this.#profile = profile
    this.#settings = settings
  }

  async open(url: string): Promise<Page> {
    const { quotaBytes, isPrivate } = this.#settings
    // Chromium's other contexts are private windows, Firefox has a preference for it.
    const windows = isPrivate && this.name === 'chromium' ? await this.#driver.createBrowserContext() : this.#driver
    const page = await windows.newPage()
    if (this.name === 'chromium' && quotaBytes !== undefined) {
      const session = await page.createCDPSession()
      await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(url).origin, quotaSize: quotaBytes })
    }
    await page.goto(url)
    return page
  }

  async close(): Promise<void> {
    await this.#driver.close()
  }

  async kill(): Promise<void> {
    const process = this.#driver.process()
    if (process === null || process.exitCode !== null) return
    const gone = new Promise(resolve => process.once('exit', resolve))
    // The driver would put back the settings that it found in the profile, while the next browser starts there.
    for (const settings of ['user.js', 'prefs.js'])
      await rm(join(this.#profile.path, `${settings}.puppeteer`), { force: true })
    process.kill('SIGKILL')
    await gone
  }
}
