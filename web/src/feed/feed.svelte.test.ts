import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Listener } from "../api/live";
import { RequestError } from "../api/request";
import type { PageCreatedSubscription } from "../generated/graphql";
import type { StoreMark } from "../pipeline/store";
import { Feed } from "./feed.svelte";
import type { Row } from "./rows";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function row(id: number): Row {
  const createdAt = new Date(Date.UTC(2025, 4, 18, 8, 0, id)).toISOString();
  const flags = { namespace: 0, namespaceName: "MAIN" as const, isRedirect: false, isBot: false };
  const url = "https://it.wikisource.org/";
  return { id: `p${id}`, title: "T", url, createdAt, userName: "A", user: { url }, domain: { name: "it.wikisource.org" }, ...flags };
}

const LIVE: StoreMark = { source: "LIVE", startedAt: "t1" };

/** A feed over a store with the pages of these numbers, newest first, and its live end. */
function openFeed(...numbers: number[]) {
  let live: Listener<PageCreatedSubscription> | undefined;
  const stored = { numbers, store: LIVE };
  const latest = vi.fn(() => Promise.resolve({ rows: stored.numbers.map(row), store: stored.store }));
  const feed = new Feed({ latest, subscribe: (_, listener) => ((live = listener), () => undefined) });
  feed.start();
  /** Creates a page and tells of it. */
  const hear = (id: number, missedCount = 0): void => {
    stored.numbers = [id, ...stored.numbers];
    live?.onEvent({ pageCreated: { missedCount, page: row(id) } });
  };
  const connection = (state: "connected" | "reconnecting"): void => live?.onConnection(state);
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000);
  return { feed, stored, latest, hear, connection, settle, ids: () => feed.rows.map((r) => r.id) };
}

it("tries again what failed, and a live event does not hide the failure", async () => {
  const { feed, latest, hear, ids } = openFeed(1);
  latest.mockRejectedValue(new RequestError("away", "NETWORK"));
  hear(2);
  await vi.advanceTimersByTimeAsync(0);
  expect(feed.error?.message).toBe("away");
  latest.mockReset().mockResolvedValue({ rows: [row(1)], store: LIVE });
  await vi.advanceTimersByTimeAsync(6_000);
  expect(feed.error).toBeUndefined();
  expect(ids()).toEqual(["p2", "p1"]);
});

it("fetches what it missed: after a break, after being too slow, and before it was heard of", async () => {
  const { latest, hear, connection, settle } = openFeed();
  connection("connected");
  await settle();
  expect(latest).toHaveBeenCalledTimes(1);
  hear(1);
  hear(2);
  expect(latest).toHaveBeenCalledTimes(2);
  await settle();
  connection("reconnecting");
  connection("connected");
  expect(latest).toHaveBeenCalledTimes(3);
  await settle();
  hear(3);
  hear(7, 3);
  expect(latest).toHaveBeenCalledTimes(5);
});

it("leaves no hole: what is older than what it missed makes way", async () => {
  const { stored, hear, connection, settle, ids } = openFeed(2, 1);
  hear(3);
  await settle();
  expect(ids()).toEqual(["p3", "p2", "p1"]);
  connection("reconnecting");
  stored.numbers = [9, 8, 7];
  connection("connected");
  hear(10);
  await settle();
  expect(ids()).toEqual(["p10", "p9", "p8", "p7"]);
});

it("keeps the older rows below what joins them", async () => {
  const { stored, connection, settle, ids } = openFeed(3, 2, 1);
  await settle();
  connection("reconnecting");
  stored.numbers = [5, 4, 3];
  connection("connected");
  await settle();
  expect(ids()).toEqual(["p5", "p4", "p3", "p2", "p1"]);
});

it("holds the rows that make way for a reader, too", async () => {
  const { feed, stored, settle, ids } = openFeed(2, 1);
  await settle();
  feed.isPointed = true;
  stored.numbers = [9, 8];
  feed.catchUp();
  await settle();
  expect([ids(), feed.held.length]).toEqual([["p2", "p1"], 2]);
  feed.isPointed = false;
  feed.release();
  expect(ids()).toEqual(["p9", "p8"]);
});

it("never shows pages of two stores together, even while paused", async () => {
  const { feed, stored, hear, connection, settle, ids } = openFeed(2, 1);
  stored.store = { source: "SAMPLE", startedAt: "t1" };
  await settle();
  feed.isPaused = true;
  connection("reconnecting");
  Object.assign(stored, { numbers: [12, 11, 2], store: { source: "SAMPLE", startedAt: "t2" } });
  connection("connected");
  hear(13);
  await settle();
  expect(ids()).toEqual(["p13", "p12", "p11", "p2"]);
});

it("holds new rows while paused and shows them after", async () => {
  const { feed, hear, settle, ids } = openFeed(1);
  hear(2);
  await settle();
  feed.isPaused = true;
  hear(3);
  hear(4);
  await settle();
  expect([ids(), feed.held.length]).toEqual([["p2", "p1"], 2]);
  feed.isPaused = false;
  feed.release();
  expect([ids(), feed.held.length]).toEqual([["p4", "p3", "p2", "p1"], 0]);
});

it.each(["isPaused", "isPointed", "isFocused"] as const)("begins anew with what is stored though %s", async (hold) => {
  const { feed, stored, settle, ids } = openFeed(2, 1);
  await settle();
  feed[hold] = true;
  stored.numbers = [8, 7];
  feed.start();
  await settle();
  expect([ids(), feed.held.length]).toEqual([["p8", "p7"], 0]);
});

it("holds nothing still where there is nothing to read", async () => {
  const { feed, hear, settle, ids } = openFeed();
  feed.isPointed = true;
  hear(1);
  await settle();
  hear(2);
  await settle();
  expect([ids(), feed.held.length]).toEqual([["p1"], 1]);
});
