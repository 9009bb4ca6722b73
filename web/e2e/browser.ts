import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const MORE_FLAGS = ["--disable-component-update", "--disable-sync", "--disable-default-apps"];

/** A page under watch: everything that a good page never does is written down. */
export interface Watched {
  readonly page: Page;
  /** Console errors, exceptions, breaches of the policy, and requests to another host. */
  readonly faults: readonly string[];
}

/** Starts Debian's Chromium with a profile of its own, runs `body`, and cleans up. */
export async function withBrowser(options: BrowserContextOptions, body: (context: BrowserContext) => Promise<void>) {
  const profile = await mkdtemp(join(tmpdir(), "pagetrack-e2e-"));
  const executablePath = process.env["PAGETRACK_CHROMIUM"] ?? "/usr/bin/chromium";
  const args = [...FLAGS, ...MORE_FLAGS];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args,
    headless: true,
    chromiumSandbox: false,
    ...options,
  });
  try {
    await body(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Opens an address and watches the page from its first byte. */
export async function open(context: BrowserContext, url: string): Promise<Watched> {
  const faults: string[] = [];
  const page = await context.newPage();
  const host = new URL(url).host;
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("request", (request) => new URL(request.url()).host !== host && faults.push(`request: ${request.url()}`));
  page.on("websocket", (socket) => new URL(socket.url()).host !== host && faults.push(`socket: ${socket.url()}`));
  await page.exposeFunction("reportBreach", (breach: string) => faults.push(`policy: ${breach}`));
  await page.addInitScript(`document.addEventListener("securitypolicyviolation", (e) =>
    reportBreach(e.effectiveDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber + " " + e.sample))`);
  await page.goto(url);
  return { page, faults };
}
