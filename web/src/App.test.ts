// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { expect, it, onTestFinished, vi } from "vitest";
import { type Answer, fakeEndpoint, reply } from "./api/fakeEndpoint";
import App from "./App.svelte";
import { openDashboard } from "./dashboard.svelte";

async function open(answer: Answer): Promise<HTMLElement> {
  const target = document.createElement("div");
  document.body.append(target);
  const app = mount(App, { target, props: { dashboard: openDashboard(await fakeEndpoint(answer)) } });
  onTestFinished(async () => {
    await unmount(app);
    target.remove();
  });
  flushSync();
  return target;
}

const text = (element: Element | null): string => element?.textContent?.replace(/\s+/g, " ") ?? "";
const part = (page: HTMLElement, title: string): Element | null =>
  [...page.querySelectorAll("section")].find((section) => text(section.querySelector("h2")) === title) ?? null;

const stage = (name: string, count: number | null) => ({
  name,
  inCount: count,
  outCount: count,
  rejectedCount: count,
  canaryCount: count,
  inFlightCount: count,
  eventsPerSecond: count,
  excludedCount: count,
  lagRecords: null,
});

/** Answers each of the page's questions by its name. */
function answers(byName: Record<string, unknown>): Answer {
  return (body, response) => {
    const name = /(?:query|subscription) (\w+)/.exec((JSON.parse(body) as { query: string }).query)?.[1] ?? "";
    reply(200, name in byName ? { data: byName[name] } : { errors: [{ message: `${name} is broken` }] })(body, response);
  };
}

const TITLES = ["Pipeline", "Pages per hour", "Busiest wikis", "New pages"];

it("shows each part as loading until it is answered", async () => {
  const page = await open(() => undefined);
  for (const title of TITLES) expect(text(part(page, title))).toContain("loading");
  expect(text(page.querySelector("header"))).toContain("source unknown");
});

it("says in each part why it has nothing", async () => {
  const page = await open(reply(503, "no store"));
  for (const title of TITLES) {
    await vi.waitFor(() => expect(text(part(page, title)?.querySelector("[role=alert]") ?? null)).toContain("answered 503"));
  }
});

it("keeps a failure to its part, and unknown counts unknown", async () => {
  const pipeline = { source: "SAMPLE", sourceReason: "no \u202Enetwork", startedAt: "t1", lagSeconds: null, rejected: null, version: "1" };
  const stages = [stage("PRODUCER", 0), stage("WRITER", null)];
  const gaps = { totalCount: 0, nodes: [] };
  const page = await open(answers({ Pipeline: { pipeline: { ...pipeline, stages, gaps } }, LatestPages: { pages: { nodes: [] } } }));
  await vi.waitFor(() => expect(text(page.querySelector("aside"))).toContain("no U+202Enetwork"));
  expect(text(page.querySelector("[data-stage=PRODUCER]"))).toMatch(/0.0\/s in 0 ?in flight 0 ?out 0 ?rejected 0 ?left out 0 ?canaries 0/);
  expect(text(page.querySelector("[data-stage=WRITER]"))).toMatch(/unknown in unknown ?in flight unknown ?out unknown/);
  expect(text(page.querySelector("[data-testid=lag]"))).toBe("unknown");
  expect(text(page.querySelector(".remarks"))).toContain("Not stored: unknown");
  await vi.waitFor(() => expect(text(part(page, "Pages per hour"))).toContain("Hours is broken"));
  await vi.waitFor(() => expect(text(part(page, "New pages"))).toContain("No page that fits yet"));
});

it("shows strangers' texts as text and links nowhere else", async () => {
  const domain = { name: "en.wikipedia.org" };
  const flags = { namespace: 0, namespaceName: "MAIN", isRedirect: false, isBot: false };
  const row = { id: "1", createdAt: "2025-05-18T08:03:14Z", domain, ...flags, user: { url: "//evil.example" } };
  const hostile = { ...row, title: "<img src=x onerror=alert(1)>\u202E", url: "javascript:alert(1)", userName: "<b>x</b>" };
  const page = await open(answers({ LatestPages: { pages: { nodes: [hostile] } } }));
  await vi.waitFor(() => expect(text(part(page, "New pages"))).toContain("<img src=x onerror=alert(1)>U+202E"));
  const feed = part(page, "New pages");
  expect(feed?.querySelectorAll("img, b, a")).toHaveLength(0);
  expect(feed?.querySelectorAll("bdi").length).toBeGreaterThanOrEqual(3);
});

it("speaks up in regions that were there before", async () => {
  let source = "LIVE";
  const state = { sourceReason: "the stream answers 503", isConnected: true, startedAt: "t1", lagSeconds: 1, rejected: [], stages: [], version: "1" };
  const page = await open((body, response) => {
    const pipeline = { ...state, source, lastEventAt: null, lastCanaryAt: null, gaps: { totalCount: 0, nodes: [] } };
    answers({ Pipeline: { pipeline } })(body, response);
  });
  await vi.waitFor(() => expect(text(page.querySelector("header"))).toContain("LIVE"));
  const region = page.querySelector("main > [role=status]");
  expect(text(region)).toBe("");
  source = "SAMPLE";
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.waitFor(() => expect(text(region)).toContain("Sample data, not the present."));
  expect(region?.isConnected).toBe(true);
});

it("says that the stream is away, why, and how old the newest event is", async () => {
  const lastEventAt = new Date(Date.now() - 62_000).toISOString();
  const state = { source: "LIVE", sourceReason: "the stream answers 503", isConnected: false, startedAt: "t1", lagSeconds: 0.7, lastEventAt };
  const pipeline = { ...state, lastCanaryAt: null, rejected: [], stages: [], version: "1", gaps: { totalCount: 0, nodes: [] } };
  const page = await open(answers({ Pipeline: { pipeline } }));
  await vi.waitFor(() => expect(text(page.querySelector("header"))).toMatch(/LIVE · not connected.*Newest event 6\d s ago/));
  expect(text(page.querySelector("aside"))).toContain("the stream answers 503.");
  expect(page.querySelector("[data-testid=lag]")).toBeNull();
});
