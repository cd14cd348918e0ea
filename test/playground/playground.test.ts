// The built playground in real browsers: what a visitor would do, in order, over one set of private files. In Firefox only
// what asks something of the browser that Chromium does in another way.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newSite, newVisitor, patienceMs, type Site, type Tab, type Visitor } from './visitor.ts'

let site: Site
beforeAll(async () => {
  site = await newSite()
}, patienceMs)
afterAll(() => site.close())

describe('the playground', { timeout: patienceMs }, () => {
  let visitor: Visitor
  beforeAll(async () => {
    visitor = await newVisitor('chromium', site)
  }, patienceMs)
  afterAll(() => visitor.leave())

  it('loads the cities and says how many', async () => {
    const tab = await visitor.open()
    await tab.press('#load')
    expect(await tab.text('load-status', /twice/)).toMatch(/^135,233 cities/)
    expect(await tab.page.$eval('#load-progress', progress => progress.getAttribute('value') ?? '')).not.toBe('0')
    await tab.close()
  })

  it('finds keys by prefix and by range, in both directions', async () => {
    const tab = await visitor.open()
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
    const tab = await visitor.open()
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
    const tab = await visitor.open()
    await tab.type('#key', 'XX/Testville/1')
    await tab.type('#value', '{ nonsense')
    await tab.press('#save')
    await tab.text('editor-status', /no JSON/)
    await tab.close()
  })

  it('shows in one tab what another one writes, and goes on when the first one closes', async () => {
    const first = await visitor.open()
    const second = await visitor.open()
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
    const tab = await visitor.open()
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
    const tab = await visitor.open()
    await lookAtPages(tab)
    await tab.close()
  })

  it('compares the two builds of the kernel as a chart and a table', async () => {
    const tab = await visitor.open()
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
    const tab = await visitor.open()
    await tab.page.setViewport({ width: 360, height: 740 })
    expect(await tab.hiddenWidth()).toBe(0)
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

describe('the playground in Firefox', { timeout: patienceMs }, () => {
  let visitor: Visitor
  beforeAll(async () => {
    visitor = await newVisitor('firefox', site)
  }, patienceMs)
  afterAll(() => visitor.leave())

  it('keeps an edit, shows it in another tab, and goes on when the first one closes', async () => {
    const first = await visitor.open()
    await first.save(123)
    const second = await visitor.open()
    await second.type('#prefix', 'XX/')
    await second.text('found-rows', /123/)
    await second.text('tab-count', /^2 tabs/)
    await first.close()
    await second.save(45_678)
    await second.text('found-rows', /45678/)
    expect(await second.keys()).toEqual(['XX/Testville/1'])
    await second.close()
  })

  it('draws the pages, and fits a narrow screen', async () => {
    const tab = await visitor.open()
    await lookAtPages(tab)
    await tab.page.setViewport({ width: 360, height: 740 })
    expect(await tab.hiddenWidth()).toBe(0)
    await tab.close()
  })
})

/** Goes to a page on the map by the keyboard, and makes a checkpoint. */
async function lookAtPages(tab: Tab): Promise<void> {
  await tab.page.waitForSelector('#page-map[aria-label*="pages of together"]')
  await tab.page.focus('#page-map')
  await tab.page.keyboard.press('ArrowRight')
  await tab.text('map-page', /^Page \d+: .*changed by commit/)
  await tab.press('#checkpoint')
  await tab.text('map-legend', /to be written: 0/)
}
