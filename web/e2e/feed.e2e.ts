// The list of new pages in a reader's hands: pointed at, tabbed through, paused, filtered.
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open, withBrowser } from "./browser";
import { pagetrack, type Server } from "./server";

const WIDE = { viewport: { width: 1280, height: 900 } };
const soon = { timeout: 20_000 };
let server: Server;

beforeAll(async () => {
  server = await pagetrack();
});

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

/** Opens the dashboard and waits until the sample's last day is played: then pages come one by one. */
async function withFeed(options: BrowserContextOptions, body: (page: Page) => Promise<void>): Promise<void> {
  await withBrowser(options, async (context) => {
    const { page, faults } = await open(context, server.url);
    await expect.poll(() => page.locator("[data-testid=lag]").innerText(), soon).toMatch(/^\d+(\.\d)? s$/);
    await expect.poll(() => live(page), soon).toBe(1);
    await body(page);
    expect(faults).toEqual([]);
  });
}

const titles = (page: Page): Promise<string[]> => page.locator("section li .title").allInnerTexts();
/** How many rows wait while the list is held; 0 when it is not. */
async function held(page: Page): Promise<number> {
  const [text] = await page.getByText(/^Held while you read · /).allInnerTexts();
  return Number(/\d+/.exec(text ?? "")?.[0] ?? 0);
}
const live = (page: Page): Promise<number> => page.getByText("As they are created, newest first").count();

/** Chooses the next filter as the keyboard does. */
async function filterByKey(page: Page): Promise<void> {
  await page.getByRole("radio", { name: "All" }).focus();
  await page.keyboard.press("ArrowRight");
}

it("goes on after a filter chosen by key while the mouse is over the list", async () => {
  await withFeed(WIDE, async (page) => {
    await page.locator("section li .title").nth(3).hover();
    await expect.poll(() => held(page), soon).toBeGreaterThan(0);
    await filterByKey(page);
    await expect.poll(async () => (await titles(page)).length, soon).toBeGreaterThan(0);
    expect(await page.locator("section li .bot").count()).toBe(0);
    await page.mouse.move(20, 300);
    await expect.poll(() => live(page), soon).toBe(1);
    const before = await titles(page);
    await expect.poll(() => titles(page), soon).not.toEqual(before);
  });
});

it("shows what is stored under another filter while paused, and holds what is new", async () => {
  await withFeed(WIDE, async (page) => {
    await page.getByRole("button", { name: "Pause" }).click();
    await filterByKey(page);
    await expect.poll(async () => (await titles(page)).length, soon).toBeGreaterThan(0);
    const before = await titles(page);
    await expect.poll(() => page.getByText(/^Paused · [1-9]/).count(), soon).toBe(1);
    expect(await titles(page)).toEqual(before);
  });
});

it("holds still while the keyboard goes through it, and goes on when it leaves", async () => {
  await withFeed(WIDE, async (page) => {
    await page.locator("section li .title a").nth(2).focus();
    await expect.poll(() => held(page), soon).toBeGreaterThan(0);
    const [before, waiting] = [await titles(page), await held(page)];
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await expect.poll(() => held(page), soon).toBeGreaterThan(waiting);
    expect(await titles(page)).toEqual(before);
    await page.getByRole("button", { name: "Redirects" }).focus();
    await expect.poll(() => live(page), soon).toBe(1);
  });
});

it("stays held under the pointer when only the focus leaves", async () => {
  await withFeed(WIDE, async (page) => {
    await page.locator("section li .title a").nth(2).focus();
    await page.locator("section li .title").nth(3).hover();
    await page.getByRole("button", { name: "Redirects" }).focus();
    await expect.poll(() => held(page), soon).toBeGreaterThan(0);
    await page.mouse.move(20, 300);
    await expect.poll(() => live(page), soon).toBe(1);
  });
});

it("speaks English to every reader, since the page is English", async () => {
  await withFeed({ ...WIDE, locale: "fa-IR" }, async (page) => {
    expect(await page.locator("section li time").first().innerText()).toMatch(/^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$/);
    expect(await page.locator("section li time").first().getAttribute("title")).toMatch(/^\d+ [A-Z][a-z]{2,3} 20\d\d, .* UTC$/);
    // The wikis' own texts may be in any script.
    expect(await page.locator("dl").allInnerTexts()).not.toContainEqual(expect.stringMatching(/[^\x20-\x7e\s·]/));
  });
});

it("has room below its last bar for the hour", async () => {
  await withFeed(WIDE, async (page) => {
    await page.locator("svg [data-hour]").last().waitFor();
    const [bar, label, chart] = await Promise.all(
      ["svg [data-hour] .hit", "svg [data-hour] + text", "svg:has([data-hour])"].map((part) => page.locator(part).last().boundingBox()),
    );
    if (!bar || !label || !chart) throw new Error("no chart");
    expect(bar.x + bar.width / 2 + label.width / 2).toBeLessThanOrEqual(chart.x + chart.width);
  });
});
