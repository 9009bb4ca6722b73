// The playground's tabs, run as they are: on a store that has no page yet, and on the sample.
import { createClient } from "graphql-ws";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import WebSocket from "ws";
import { pagetrack, type Server, startPagetrack } from "../e2e/server";
import { STORES } from "../e2e/stores";
import { startStream } from "../e2e/stream";
import { EXAMPLES } from "../graphiql/examples";
import { post, type Answer } from "./post";

const isLive = (query: string): boolean => /^subscription/m.test(query);
const questions = EXAMPLES.filter(({ query }) => !isLive(query));
const live = EXAMPLES.filter(({ query }) => isLive(query));

async function stopAtEnd(server: Server): Promise<Server> {
  onTestFinished(async () => void expect(await server.stop()).toBe(0));
  return server;
}

async function ask(server: Server, query: string, variables = "{}"): Promise<Answer<Record<string, unknown>>> {
  const answer = await post(new URL("graphql", server.url), query, JSON.parse(variables));
  expect(answer.status, query).toBe(200);
  return answer;
}

describe.each(STORES)("over %s", (_name, store) => {
  it("answers each on an empty store, and tells the live ones of the first page", { timeout: 180_000 }, async () => {
    const stream = await startStream(["Lantern"]);
    stream.die();
    onTestFinished(() => stream.stop());
    const server = await stopAtEnd(await startPagetrack({ source: stream.url, store }));
    const known = await ask(server, "{ domains { totalCount } }");
    expect(known.data).toEqual({ domains: { totalCount: 0 } });
    for (const { query, variables } of questions) {
      expect((await ask(server, query, variables)).errors, query).toBeUndefined();
    }
    stream.revive();
    await hearLive(server);
  });
});

/** Each of the live ones is told of a page. */
async function hearLive(server: Server): Promise<void> {
  expect(live.length).toBeGreaterThan(0);
  const client = createClient({ url: new URL("graphql", server.url).href.replace("http", "ws"), webSocketImpl: WebSocket });
  for (const { query } of live) {
    const event = await client.iterate({ query }).next();
    expect(event.value, query).toEqual({ data: expect.anything() as unknown });
  }
  await client.dispose();
}

it("answers each with something on the sample, and is told of the live ones", { timeout: 120_000 }, async () => {
  const server = await stopAtEnd(await pagetrack());
  for (const { query, variables } of questions) {
    // The sample takes a moment to be stored.
    await vi.waitFor(
      async () => {
        const { data, errors } = await ask(server, query, variables);
        expect(errors, query).toBeUndefined();
        expect(Object.values(data), query).not.toContain(null);
      },
      { timeout: 60_000, interval: 200 },
    );
  }
  await hearLive(server);
});
