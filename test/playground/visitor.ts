// The built playground on a server of its own, and what a visitor does there with a real browser.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { expect } from 'vitest'
import { buildPlayground, servePlayground } from '../../scripts/playground.mjs'
import { type BrowserName, newProfile, startBrowser } from '../browser/browser.ts'

/** Only bounds what hangs. */
export const patienceMs = 120_000

const town = 'XX/Testville/1'
const textOf = (population: number) => JSON.stringify({ name: 'Testville', country: 'XX', population })

/** The page on a server of its own. */
export interface Site {
  readonly address: string
  close(): Promise<void>
}

/** Builds the page and serves it. */
export async function newSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'lightning-playground-'))
  await buildPlayground(folder)
  const server = await servePlayground({ folder })
  return {
    address: server.address,
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Somebody with a browser who has not been there before. */
export interface Visitor {
  /** Opens the playground in a new tab and waits for its database. */
  open(): Promise<Tab>
  leave(): Promise<void>
}

/** Starts the browser. */
export async function newVisitor(name: BrowserName, site: Site): Promise<Visitor> {
  const profile = await newProfile()
  const browser = await startBrowser(name, profile)
  return {
    async open() {
      const tab = new Tab(await browser.open('about:blank'))
      await tab.page.goto(site.address)
      await tab.connected()
      return tab
    },
    async leave() {
      await browser.close()
      await profile.remove()
    }
  }
}

/** A tab with the playground, and everything that went wrong in it. */
export class Tab {
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

  /** Waits for the database. */
  async connected(): Promise<void> {
    await this.page.waitForSelector('#connection[data-state="open"]')
  }

  /** Fails when anything went wrong. */
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

  /** Saves the town with so many people. */
  async save(population: number): Promise<void> {
    await this.type('#key', town)
    await this.type('#value', textOf(population))
    await this.press('#save')
    await this.text('editor-status', /^Saved/)
  }

  /** What is listed. */
  keys(): Promise<string[]> {
    return this.page.$$eval('#found-rows .key', buttons => buttons.map(button => button.textContent))
  }

  /** CSS pixels of the page that are out of sight to the right. */
  hiddenWidth(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  }
}
