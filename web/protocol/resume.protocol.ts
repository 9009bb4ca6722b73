// A break in the live feed, as the reference clients of its two protocols mend it: `after` brings what was missed.
import { createClient as createEventsClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import WebSocket from "ws";
import { startPagetrack } from "../e2e/server";
import { STORES } from "../e2e/stores";
import { startStream } from "../e2e/stream";
import { post } from "./post";

interface Event {
  readonly pageId: number;
  readonly cursor: string;
}

interface Told {
  readonly data?: { readonly pageCreated: { readonly page: { readonly pageId: string }; readonly cursor: string } };
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

interface Asks {
  iterate(payload: { query: string; variables: Record<string, unknown> }): AsyncIterableIterator<unknown>;
  dispose(): unknown;
}

const query = "subscription ($after: String) { pageCreated(after: $after) { page { pageId } cursor } }";

const clients: [string, (url: string) => Asks][] = [
  ["graphql-ws", (url) => createSocketClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 })],
  ["graphql-sse", (url) => createEventsClient({ url, retryAttempts: 0 })],
];

let servers = 0;

/** A server that is told of a new page several times a second, numbered from 1; its store is new. */
async function start(store?: string): Promise<string> {
  const stream = await startStream(["Lantern", "Lamp"]);
  onTestFinished(() => stream.stop());
  const server = await startPagetrack({ source: stream.url, store: store && `${store}_${++servers}` });
  onTestFinished(async () => void (await server.stop()));
  return new URL("graphql", server.url).href;
}

/** Listens on a connection of its own until it has heard enough. */
async function listen(client: Asks, after: string | null, isEnough: (heard: readonly Event[]) => boolean): Promise<Event[]> {
  const heard: Event[] = [];
  for await (const told of client.iterate({ query, variables: { after } }) as AsyncIterableIterator<Told>) {
    if (!told.data) throw new Error(JSON.stringify(told));
    const { page, cursor } = told.data.pageCreated;
    heard.push({ pageId: Number(page.pageId), cursor });
    if (isEnough(heard)) break;
  }
  await client.dispose();
  return heard;
}

async function newestPage(url: string): Promise<number> {
  const answer = await post<{ pages: { nodes: { pageId: string }[] } }>(url, "{ pages(first: 1) { nodes { pageId } } }");
  return Number(answer.data.pages.nodes[0]?.pageId);
}

describe.each(STORES)("over %s", (_name, store) => {
  it.each(clients)("brings %s what it missed, without a hole, and goes on live", { timeout: 120_000 }, async (_name, create) => {
    const url = await start(store);
    const first = await listen(create(url), null, (heard) => heard.length === 2);
    const [left] = first.slice(-1);
    if (!left) throw new Error("nothing was heard");
    // Some pages come while nobody listens.
    const missed = await vi.waitFor(async () => {
      const newest = await newestPage(url);
      expect(newest).toBeGreaterThan(left.pageId + 3);
      return newest;
    }, { timeout: 20_000 });
    const resumed = await listen(create(url), left.cursor, (heard) => (heard.at(-1)?.pageId ?? 0) >= missed + 3);
    const [heard, resumedIds] = [first, resumed].map((events) => events.map((event) => event.pageId));
    if (!store) expect(resumedIds).toEqual(Array.from(resumed, (_, i) => left.pageId + 1 + i));
    // Several batches are written to Cassandra at one time, so neighbours may change places.
    const begun = Math.max(...(heard ?? []));
    expect(resumedIds).toEqual(expect.arrayContaining(Array.from({ length: missed - begun }, (_, i) => begun + 1 + i)));
    const ids = [...(heard ?? []), ...(resumedIds ?? [])];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(clients)("tells %s when its place is none", { timeout: 120_000 }, async (_name, create) => {
    const url = await start(store);
    const client = create(url);
    const refused = JSON.stringify(
      await client
        .iterate({ query, variables: { after: "AAAA" } })
        .next()
        .then((told) => told.value as unknown, (error: unknown) => error),
    );
    expect(refused).toContain("BAD_CURSOR");
    await client.dispose();
  });
});
