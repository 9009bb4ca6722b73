import { copyFile, mkdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import type { BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open, withBrowser } from "./browser";
import { pagetrack, type Server } from "./server";

const SHOTS = new URL("../test-results/", import.meta.url).pathname;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const soon = { timeout: 20_000 };
let server: Server;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  server = await pagetrack();
});

/** The picture that the project shows of itself. */
const PICTURE = new URL("../dashboard.png", import.meta.url).pathname;

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

it.each<[string, BrowserContextOptions]>([
  ["light", { viewport: { width: 1280, height: 1060 }, colorScheme: "light" }],
  ["dark", { viewport: { width: 1280, height: 1060 }, colorScheme: "dark" }],
  ["middle", { viewport: { width: 768, height: 1000 }, colorScheme: "light" }],
  ["mobile", { viewport: { width: 360, height: 780 }, colorScheme: "light", hasTouch: true }],
])("shows the sample, live, in %s", async (name, options) => {
  await withBrowser(options, async (context) => {
    const { page, faults } = await open(context, server.url);
    await expect.poll(() => page.locator("aside").innerText(), soon).toMatch(/Sample data.*not the present[^]*playing: .+/);
    await expect.poll(() => page.locator("header").innerText(), soon).toMatch(/SAMPLE[^]*connected[^]*Lag\s+\d/);
    await expect.poll(() => page.locator("svg [data-hour]").count(), soon).toBe(24);
    await expect.poll(() => page.locator("[data-stage] dd").first().innerText(), soon).toMatch(/^\d/);
    await expect.poll(() => page.locator("section li h3, section li .name").count(), soon).toBeGreaterThan(3);
    const newest = page.locator("section li time").first();
    await newest.waitFor();
    const titles = (): Promise<string[]> => page.locator("section li .title").allInnerTexts();
    const before = await titles();
    await expect.poll(async () => (await titles())[0], soon).not.toBe(before[0]);
    // The sample's last day takes a moment to play; then the pages come one by one, and each hour has some.
    await expect.poll(() => page.locator("[data-stage=WRITER] .rate").innerText(), { timeout: 40_000 }).toMatch(/^\d\.\d/);
    await expect.poll(() => page.locator("[data-hour] .people[height='0']").count(), soon).toBe(0);
    await page.screenshot({ path: `${SHOTS}dashboard-${name}.png`, fullPage: name === "mobile" });
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    expect(faults).toEqual([]);
  });
});

it("has a picture of itself, rewritten by UPDATE=1 only", async () => {
  if (process.env["UPDATE"]) await copyFile(`${SHOTS}dashboard-light.png`, PICTURE);
  expect((await stat(PICTURE)).size).toBeLessThan(200_000);
});

it("holds, filters, and shows its chart as a table", async () => {
  await withBrowser({ viewport: { width: 1440, height: 1100 } }, async (context) => {
    const { page, faults } = await open(context, server.url);
    await page.locator("section li .title").first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    const held = await page.locator("section li .title").allInnerTexts();
    await expect.poll(() => page.getByText(/Paused · [1-9]/).count(), soon).toBe(1);
    expect(await page.locator("section li .title").allInnerTexts()).toEqual(held);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => page.locator("section li .title").allInnerTexts(), soon).not.toEqual(held);
    await page.getByText("People", { exact: true }).last().click();
    await page.locator("section li .title").first().waitFor();
    expect(await page.locator("section li .bot").count()).toBe(0);
    await page.getByText("Table", { exact: true }).click();
    await expect.poll(() => page.locator("tbody tr").count(), soon).toBe(24);
    expect(faults).toEqual([]);
  });
});

it.each(["light", "dark"] as const)("leaves nothing for a screen reader to stumble over, in %s", async (colorScheme) => {
  await withBrowser({ viewport: { width: 1440, height: 1100 }, colorScheme, bypassCSP: true }, async (context) => {
    const { page } = await open(context, server.url);
    await page.locator("section li .title").first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    // Rows light up as they arrive; contrast is judged once they have settled.
    await page.emulateMedia({ reducedMotion: "reduce", colorScheme });
    await page.addScriptTag({ path: AXE });
    const found = await page.evaluate("axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes[0].html))");
    expect(found).toEqual([]);
  });
});
