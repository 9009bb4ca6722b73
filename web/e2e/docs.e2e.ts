// The pages about REST: all operations are there, nothing is asked of another host, and one can be tried.
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open, withBrowser } from "./browser";
import { pagetrack, type Server } from "./server";

const SHOTS = new URL("../test-results/", import.meta.url).pathname;
const OPERATIONS = 9;
let server: Server;

beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true });
  server = await pagetrack();
});

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

it("shows Swagger UI, in which an operation can be tried", async () => {
  await withBrowser({ viewport: { width: 1280, height: 900 } }, async (context) => {
    const { page, faults } = await open(context, `${server.url}docs`);
    await page.locator(".opblock").nth(OPERATIONS - 1).waitFor();
    expect(await page.locator(".opblock").count()).toBe(OPERATIONS);
    await page.getByRole("button", { name: "get /domains/", exact: false }).first().click();
    await page.getByRole("button", { name: "Try it out" }).click();
    await page.getByRole("button", { name: "Execute" }).click();
    await page.locator(".live-responses-table", { hasText: "www.wikidata.org" }).waitFor();
    await page.screenshot({ path: `${SHOTS}docs.png` });
    expect(faults).toEqual([]);
  });
});

it("shows ReDoc, and searches", async () => {
  await withBrowser({ viewport: { width: 1280, height: 900 } }, async (context) => {
    const { page, faults } = await open(context, `${server.url}redoc`);
    await page.getByRole("heading", { name: "Every page of one person in the window" }).waitFor();
    expect(await page.locator("[data-section-id^='tag/'] h2[class]").count()).toBeGreaterThanOrEqual(OPERATIONS);
    await page.getByPlaceholder("Search...").fill("titles");
    await page.locator("[data-role='search:results'] li").first().waitFor();
    await page.screenshot({ path: `${SHOTS}redoc.png` });
    // Its search is a worker that the page makes itself.
    expect(faults.filter((fault) => !fault.startsWith(`request: blob:${new URL(server.url).origin}/`))).toEqual([]);
  });
});
