// What a reader sees while something is away: the server, the network, the stream.
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { open, withBrowser } from "./browser";
import { type OwnServer, type Start, startPagetrack } from "./server";
import { startStream, type Stream } from "./stream";

const WIDE = { viewport: { width: 1280, height: 900 } };
const soon = { timeout: 10_000 };
const late = { timeout: 40_000 };

async function serve(start: Start): Promise<OwnServer> {
  const server = await startPagetrack(start);
  onTestFinished(async () => void (await server.stop()));
  return server;
}

async function stream(...titles: string[]): Promise<Stream> {
  const started = await startStream(titles);
  onTestFinished(() => started.stop());
  return started;
}

const header = (page: Page): Promise<string> => page.locator("header dl").innerText().then((text) => text.replace(/\s+/g, " "));
const rows = (page: Page): Promise<string[]> =>
  page.locator("section li:has(time)").evaluateAll((items) =>
    items.map((item) => `${item.querySelector("time")?.textContent} ${item.querySelector(".title")?.textContent}`),
  );

/** The store's newest pages as the feed shows them, twice as many as it has room for. */
async function stored(url: string): Promise<Set<string>> {
  const found = new Set<string>();
  let after: string | null = null;
  for (let part = 0; part < 2; part++) {
    const query = "query ($after: String) { pages(first: 100, after: $after) { nodes { title createdAt } pageInfo { endCursor } } }";
    const body = JSON.stringify({ query, variables: { after } });
    const response = await fetch(`${url}graphql`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { data } = (await response.json()) as {
      data: { pages: { nodes: { title: string; createdAt: string }[]; pageInfo: { endCursor: string | null } } };
    };
    for (const { title, createdAt } of data.pages.nodes) found.add(`${createdAt.slice(11, 19)} ${title}`);
    after = data.pages.pageInfo.endCursor;
  }
  return found;
}

it("is soon itself again after the server's restart, without a page of the sample that was", async () => {
  const server = await serve({ source: "sample" });
  await withBrowser(WIDE, async (context) => {
    const { page } = await open(context, server.url);
    await expect.poll(() => rows(page), soon).toHaveLength(100);
    server.signal("SIGKILL");
    await page.getByText("Connection lost; trying again.").waitFor(soon);
    // What failed once waits longer for its next turn than the test does.
    await expect.poll(() => page.locator(".stale").count(), late).toBe(3);
    const { url } = await serve({ source: "sample", listen: new URL(server.url).host });
    await expect.poll(() => header(page), { ...late, interval: 100 }).toMatch(/ connected/);
    await expect.poll(() => header(page), { timeout: 5_000 }).toMatch(/SAMPLE .* Lag \d/);
    await expect.poll(() => page.locator(".stale").count(), { timeout: 5_000 }).toBe(0);
    // The sample's last day takes a moment to play; nothing of what was shown before may be left then.
    const strange = async (): Promise<string[]> => {
      const shown = await rows(page);
      const known = await stored(url);
      return shown.length === 100 ? shown.filter((row) => !known.has(row)) : [`${shown.length} rows`];
    };
    await expect.poll(strange, late).toEqual([]);
  });
}, 120_000);

it("notices a connection that is open and dead", async () => {
  const server = await serve({ source: "sample" });
  await withBrowser(WIDE, async (context) => {
    const { page } = await open(context, server.url);
    await expect.poll(() => header(page), soon).toMatch(/ connected/);
    server.signal("SIGSTOP");
    await expect.poll(() => header(page), late).toMatch(/reconnecting/);
    await page.getByText("Connection lost; trying again.").waitFor(soon);
    server.signal("SIGCONT");
    await expect.poll(() => header(page), late).toMatch(/SAMPLE .* connected/);
  });
}, 120_000);

it("tells that the stream died, why, and how old what it shows is", async () => {
  const source = await stream("Lighthouse");
  const server = await serve({ source: source.url });
  await withBrowser(WIDE, async (context) => {
    const { page, faults } = await open(context, server.url);
    await expect.poll(() => header(page), soon).toMatch(/LIVE .* Lag \d/);
    source.die();
    await expect.poll(() => header(page), late).toMatch(/LIVE · not connected .* Newest event (\d\.\d|\d+) s ago$/);
    await expect.poll(() => page.getByRole("status").allInnerTexts(), soon).toContainEqual(expect.stringMatching(/stream.*503/s));
    source.revive();
    await expect.poll(() => header(page), late).toMatch(/LIVE .* Lag \d/);
    await expect.poll(() => page.locator("aside").count(), soon).toBe(0);
    expect(faults).toEqual([]);
  });
}, 120_000);

it("forgets the sample when the stream takes its place, also for a reader who pauses", async () => {
  const sample = await serve({ source: "sample" });
  const source = await stream("Lighthouse", "Harbour");
  await withBrowser(WIDE, async (context) => {
    const { page } = await open(context, sample.url);
    await expect.poll(() => rows(page), soon).toHaveLength(100);
    await page.getByRole("button", { name: "Pause" }).click();
    expect(await sample.stop()).toBe(0);
    await serve({ source: source.url, listen: new URL(sample.url).host });
    // Nothing of the sample is left, though the reader pauses; and what comes then is the stream's.
    const titles = async (): Promise<string[]> => [...new Set((await rows(page)).map((row) => row.slice(9)))].sort();
    const strange = async (): Promise<string[]> => (await titles()).filter((title) => !["Harbour", "Lighthouse"].includes(title));
    await expect.poll(strange, late).toEqual([]);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(titles, soon).toEqual(["Harbour", "Lighthouse"]);
    await expect.poll(() => header(page), soon).toMatch(/ LIVE /);
    // A handful of pages, not the sample's thousands.
    await expect.poll(() => page.locator("main dl dd").first().innerText(), soon).toMatch(/^\d{1,3}$/);
  });
}, 120_000);

it("shows the beginning of a long title, whichever way it is written", async () => {
  const source = await stream("تصنيف مدن وقرى ".repeat(12).trim(), "The lighthouse ".repeat(12).trim());
  const server = await serve({ source: source.url });
  await withBrowser(WIDE, async (context) => {
    const { page } = await open(context, server.url);
    await expect.poll(() => page.locator("section li .title").count(), soon).toBeGreaterThan(2);
    await page.getByRole("button", { name: "Pause" }).click();
    const isCut = await page.locator("section li .title").evaluateAll((titles) =>
      titles.map((title) => {
        const text = document.createTreeWalker(title, NodeFilter.SHOW_TEXT).nextNode();
        const range = document.createRange();
        range.setStart(text ?? title, 0);
        range.setEnd(text ?? title, 1);
        const [letter, line] = [range.getBoundingClientRect(), title.getBoundingClientRect()];
        return letter.left < line.left - 1 || letter.right > line.right + 1;
      }),
    );
    expect(isCut).not.toContain(true);
  });
});
