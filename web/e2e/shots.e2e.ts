// The states that a healthy binary on its sample is not in, over our own stand-in.
import { mkdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { open, withBrowser } from "./browser";
import { mock } from "./server";

const SHOTS = new URL("../test-results/", import.meta.url).pathname;
const WIDE = { viewport: { width: 1280, height: 1100 } };
const MIDDLE = { viewport: { width: 768, height: 1000 } };
const NARROW = { viewport: { width: 360, height: 780 } };

it.each([
  ["sample-light", "sample", { ...WIDE, colorScheme: "light" as const }],
  ["live-dark", "live", { ...WIDE, colorScheme: "dark" as const }],
  ["sample-mobile", "sample", { ...NARROW, colorScheme: "light" as const }],
  ["away-light", "away", { ...WIDE, colorScheme: "light" as const }],
  ["away-mobile-dark", "away", { ...NARROW, colorScheme: "dark" as const }],
  ["live-middle", "live", { ...MIDDLE, colorScheme: "light" as const }],
  ["unknown-light", "unknown", { ...WIDE, colorScheme: "light" as const }],
  ["empty-dark", "empty", { ...WIDE, colorScheme: "dark" as const }],
  ["broken-light", "broken", { ...WIDE, colorScheme: "light" as const }],
])("shows %s", async (name, state, options) => {
  await mkdir(SHOTS, { recursive: true });
  const server = await mock(state);
  try {
    await withBrowser(options, async (context) => {
      const { page, faults } = await open(context, server.url);
      await expect.poll(() => page.locator("main").innerText(), { timeout: 20_000 }).not.toContain("loading");
      await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
      const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(wide).toBeLessThanOrEqual(0);
      if (state !== "broken") expect(faults).toEqual([]);
    });
  } finally {
    await server.stop();
  }
});
