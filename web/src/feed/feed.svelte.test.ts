import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Listener } from "../api/live";
import { RequestError } from "../api/request";
import type { PageCreatedSubscription } from "../generated/graphql";
import { Feed } from "./feed.svelte";
import type { Row } from "./rows";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function row(id: number): Row {
  const createdAt = new Date(Date.UTC(2025, 4, 18, 8, 0, id)).toISOString();
  const domain = { name: "it.wikisource.org", url: "https://it.wikisource.org/" };
  const flags = { namespace: 0, namespaceName: "MAIN" as const, isRedirect: false, isBot: false };
  const user = { url: domain.url, isTemporary: false };
  return { id: `p${id}`, title: "T", url: domain.url, createdAt, userName: "A", user, domain, ...flags };
}

/** A feed over a stored list that can fail, and its live end. */
function openFeed(latest: () => Promise<readonly Row[]>) {
  let live: Listener<PageCreatedSubscription> | undefined;
  const feed = new Feed({ latest, subscribe: (_, listener) => ((live = listener), () => undefined) });
  feed.start();
  const hear = (id: number, missedCount = 0): void =>
    live?.onEvent({ pageCreated: { cursor: `c${id}`, missedCount, page: row(id) } });
  const connection = (state: "connected" | "reconnecting"): void => live?.onConnection(state);
  return { feed, hear, connection, ids: () => feed.rows.map((r) => r.id) };
}

it("tries again what failed, and a live event does not hide the failure", async () => {
  const latest = vi.fn().mockRejectedValueOnce(new RequestError("away", "NETWORK")).mockResolvedValue([row(1)]);
  const { feed, hear, ids } = openFeed(latest);
  await vi.advanceTimersByTimeAsync(0);
  hear(2);
  expect(feed.error?.message).toBe("away");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(feed.error).toBeUndefined();
  expect(ids()).toEqual(["p2", "p1"]);
});

it("fetches what it missed, after a break and after being too slow", async () => {
  const latest = vi.fn().mockResolvedValue([]);
  const { hear, connection } = openFeed(latest);
  connection("connected");
  await vi.advanceTimersByTimeAsync(0);
  expect(latest).toHaveBeenCalledTimes(1);
  connection("reconnecting");
  connection("connected");
  expect(latest).toHaveBeenCalledTimes(2);
  hear(5, 3);
  expect(latest).toHaveBeenCalledTimes(3);
});

it("holds new rows while paused and shows them after", async () => {
  const { feed, hear, ids } = openFeed(() => Promise.resolve([row(1)]));
  await vi.advanceTimersByTimeAsync(1_000);
  feed.isPaused = true;
  hear(2);
  hear(3);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([ids(), feed.held.length]).toEqual([["p1"], 2]);
  feed.isPaused = false;
  feed.release();
  expect([ids(), feed.held.length]).toEqual([["p3", "p2", "p1"], 0]);
});
