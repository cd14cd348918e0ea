// The built playground in a real browser: what a visitor would do, in order, over one set of private files.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPlayground, servePlayground } from '../../scripts/playground.mjs'
import { type Browser, newProfile, type Profile, startBrowser } from '../browser/browser.ts'

/** Only bounds what hangs. */
const patienceMs = 120_000

const town = 'XX/Testville/1'
const textOf = (population: number) => JSON.stringify({ name: 'Testville', country: 'XX', population })

let folder = ''
let address = ''
let profile: Profile
let browser: Browser
let closeServer: () => Promise<void>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lightning-playground-'))
  await buildPlayground(folder)
  const server = await servePlayground({ folder })
  address = server.address
  closeServer = server.close
  profile = await newProfile()
  browser = await startBrowser('chromium', profile)
}, patienceMs)
afterAll(async () => {
  await browser.close()
  await profile.remove()
  await closeServer()
  await rm(folder, { recursive: true, force: true })
})

/** A tab with the playground, and everything that went wrong in it. */
class Tab {
  readonly page: Page
  readonly complaints: string[] = []

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(patienceMs)
    page.on('pageerror', error => this.complaints.push(String(error)))
    page.on('console', message => {
      if (message.type() === 'error' || message.type() === 'warn') this.complaints.push(message.text())
    })
  }

  static async open(): Promise<Tab> {
    const tab = new Tab(await browser.open('about:blank'))
    await tab.page.goto(address)
    await tab.connected()
    return tab
  }

  async connected(): Promise<void> {
    await this.page.waitForSelector('#connection[data-state="open"]')
  }

  async close(): Promise<void> {
    await this.page.close()
    expect(this.complaints).toEqual([])
  }

  async press(selector: string): Promise<void> {
    await this.page.bringToFront()
    await this.page.locator(selector).click()
  }

  async type(selector: string, text: string): Promise<void> {
    await this.page.bringToFront()
    await this.page.locator(selector).fill(text)
  }

  /** The text of an element, once it matches. */
  async text(id: string, pattern: RegExp): Promise<string> {
    const found = await this.page.waitForFunction(
      (id, source) => {
        const text = document.getElementById(id)?.textContent ?? ''
        return new RegExp(source).test(text) && text
      },
      {},
      id,
      pattern.source
    )
    return String(await found.jsonValue())
  }

  async save(population: number): Promise<void> {
    await this.type('#key', town)
    await this.type('#value', textOf(population))
    await this.press('#save')
    await this.text('editor-status', /^Saved/)
  }

  keys(): Promise<string[]> {
    return this.page.$$eval('#found-rows .key', buttons => buttons.map(button => button.textContent))
  }
}

describe('the playground', { timeout: patienceMs }, () => {
  it('loads the cities and says how many', async () => {
    const tab = await Tab.open()
    await tab.press('#load')
    expect(await tab.text('load-status', /twice/)).toMatch(/^135,233 cities/)
    expect(await tab.page.$eval('#load-progress', progress => progress.getAttribute('value') ?? '')).not.toBe('0')
    await tab.close()
  })

  it('finds keys by prefix and by range, in both directions', async () => {
    const tab = await Tab.open()
    await tab.type('#prefix', 'IS/Reyk')
    await tab.text('found', /^\d keys$/)
    const keys = await tab.keys()
    expect(keys.length).toBeGreaterThan(1)
    expect(keys.every(key => key.startsWith('IS/Reyk'))).toBe(true)
    await tab.press('#reverse')
    await tab.page.waitForFunction(first => document.querySelector('.key')?.textContent === first, {}, keys.at(-1))
    expect(await tab.keys()).toEqual(keys.toReversed())

    await tab.page.select('#search-mode', 'range')
    await tab.page.select('#keyspace', 'by-population')
    await tab.type('#from', '20000000')
    await tab.text('found', /^\d keys?$/)
    expect((await tab.keys()).every(key => /^2\d{7}\//.test(key))).toBe(true)
    await tab.close()
  })

  it('keeps an edit, in the index too, over a reload', async () => {
    const tab = await Tab.open()
    await tab.save(123)
    await tab.save(45_678)
    await tab.page.reload()
    await tab.connected()
    await tab.type('#prefix', 'XX/')
    await tab.text('found-rows', /45678/)
    await tab.page.select('#keyspace', 'by-population')
    await tab.type('#prefix', '00045678/XX/')
    await tab.text('found', /^1 key$/)
    await tab.type('#prefix', '00000123/XX/')
    await tab.text('found', /^No keys/)
    await tab.close()
  })

  it('refuses what is no JSON, and says so', async () => {
    const tab = await Tab.open()
    await tab.type('#key', town)
    await tab.type('#value', '{ nonsense')
    await tab.press('#save')
    await tab.text('editor-status', /no JSON/)
    await tab.close()
  })

  it('shows in one tab what another one writes, and goes on when the first one closes', async () => {
    const first = await Tab.open()
    const second = await Tab.open()
    await second.type('#prefix', 'XX/')
    await second.text('found', /^1 key$/)
    await second.text('tab-count', /^2 tabs/)
    await first.save(77_777)
    await second.page.bringToFront()
    await second.text('found-rows', /77777/)
    await first.close()
    await second.save(88_888)
    await second.text('found-rows', /88888/)
    await second.close()
  })

  it('moves people in transactions and loses nobody', async () => {
    const tab = await Tab.open()
    const before = await tab.text('transfer-total', /\d/)
    await tab.press('#transfer-run')
    await tab.text('transfer-status', /people now/)
    await tab.press('#contend')
    await tab.text('transfer-status', /100 moves among ten cities in/)
    expect(await tab.text('transfer-commits', /\d/)).toBe('101')
    expect(await tab.text('transfer-total', /\d/)).toBe(before)
    await tab.close()
  })

  it('draws the pages and tells about one', async () => {
    const tab = await Tab.open()
    await tab.page.waitForSelector('#page-map[aria-label*="pages of together"]')
    await tab.page.focus('#page-map')
    await tab.page.keyboard.press('ArrowRight')
    await tab.text('map-page', /^Page \d+: .*changed by commit/)
    await tab.press('#checkpoint')
    await tab.text('map-legend', /to be written: 0/)
    await tab.close()
  })

  it('compares the two builds of the kernel as a chart and a table', async () => {
    const tab = await Tab.open()
    await tab.press('#bench-run')
    await tab.text('bench-status', /^Done/)
    const rows = await tab.page.$$eval('#bench-rows tr', rows => rows.map(row => row.textContent))
    expect(rows.length).toBe(8)
    for (const row of rows) expect(row).toMatch(/\d.*\/s.*\d.*\/s.*\d ×$/)
    const widths = await tab.page.$$eval('#bench-chart rect', bars =>
      bars.map(bar => Number(bar.getAttribute('width')))
    )
    expect(widths.length).toBe(16)
    expect(widths.every(width => width > 0)).toBe(true)
    await tab.close()
  })

  it('fits a narrow screen, and remembers that it is to be dark', async () => {
    const tab = await Tab.open()
    await tab.page.setViewport({ width: 360, height: 740 })
    expect(await tab.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    const themeOf = () => tab.page.$eval('html', html => html.dataset.theme)
    const before = await themeOf()
    await tab.press('#theme')
    const after = await themeOf()
    expect(after).not.toBe(before)
    await tab.page.reload()
    expect(await themeOf()).toBe(after)
    await tab.close()
  })
})
