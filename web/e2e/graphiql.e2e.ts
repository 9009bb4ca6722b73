import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { open, withBrowser } from "./browser";
import { pagetrack, type Server } from "./server";

const SHOTS = new URL("../test-results/", import.meta.url).pathname;
let server: Server;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  server = await pagetrack();
});

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

/** Opens a tab, runs it, and waits until its answer has the word. */
async function run(page: Page, tab: string, word: string): Promise<void> {
  await page.getByRole("tab", { name: tab }).click();
  await page.locator(".graphiql-query-editor", { hasText: tab }).waitFor();
  // GraphiQL learns the operation's name a moment after it shows the tab; a run before that names the tab left.
  await vi.waitFor(
    async () => {
      await page.getByLabel("Execute query").click();
      await page.locator(".result-window", { hasText: word }).waitFor({ timeout: 5_000 });
    },
    { timeout: 25_000 },
  );
}

it.each(["light", "dark"] as const)("plays offline in %s: runs its examples, completes, explains", async (colorScheme) => {
  await withBrowser({ viewport: { width: 1440, height: 900 }, colorScheme }, async (context) => {
    const { page, faults } = await open(context, `${server.url}graphiql`);
    await run(page, "FirstSteps", '"nodes"');
    await run(page, "WikisPages", '"www.wikidata.org"');
    await run(page, "Person", '"accountCount"');
    await run(page, "HoursActivity", '"pageCount"');
    await run(page, "Rankings", '"growth"');
    await run(page, "Week", '"series"');
    await run(page, "Reports", '"domainsByHour"');
    await run(page, "Search", '"wikidatawiki"');
    await run(page, "Pipeline", '"SAMPLE"');
    await run(page, "Live", '"pageCreated"');
    await page.getByLabel("Stop query").click();
    await page.getByLabel("Show Documentation Explorer").click();
    await page.getByText("Root Types").waitFor();
    await page.screenshot({ path: `${SHOTS}graphiql-${colorScheme}.png` });
    const brightness = await page.locator(".graphiql-container").evaluate((element) => {
      const colours = getComputedStyle(element).backgroundColor.match(/\d+/g) ?? [];
      return Math.max(...colours.slice(0, 3).map(Number));
    });
    expect(brightness < 128, `brightness ${brightness}`).toBe(colorScheme === "dark");
    await page.getByLabel("Open settings dialog").click();
    await page.getByText("Clear storage").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".graphiql-query-editor .CodeMirror").click();
    await page.keyboard.press("Control+Space");
    await page.locator(".CodeMirror-hints").waitFor();
    expect(faults).toEqual([]);
  });
});

it("has room for the answer on a phone, and a way back", async () => {
  await withBrowser({ viewport: { width: 360, height: 780 } }, async (context) => {
    const { page, faults } = await open(context, `${server.url}graphiql`);
    await page.locator(".graphiql-query-editor", { hasText: "FirstSteps" }).waitFor();
    await page.getByLabel("Execute query").click();
    await page.locator(".result-window", { hasText: '"nodes"' }).waitFor();
    await page.screenshot({ path: `${SHOTS}graphiql-mobile.png` });
    const box = await page.locator(".result-window").boundingBox();
    expect(box?.width).toBeGreaterThan(240);
    expect(box?.height).toBeGreaterThan(200);
    await page.getByRole("link", { name: "Pagetrack" }).click();
    await page.getByRole("heading", { name: "Pagetrack" }).waitFor();
    expect(faults).toEqual([]);
  });
});
