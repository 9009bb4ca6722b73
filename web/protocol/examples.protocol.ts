// The playground's tabs, run as they are: on a store that has no page yet, and on the sample.
import { createClient } from "graphql-ws";
import { expect, it, onTestFinished, vi } from "vitest";
import WebSocket from "ws";
import { pagetrack, type Server, startPagetrack } from "../e2e/server";
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

it("answers each on an empty store", { timeout: 120_000 }, async () => {
  const stream = await startStream([]);
  stream.die();
  onTestFinished(() => stream.stop());
  const server = await stopAtEnd(await startPagetrack({ source: stream.url }));
  const known = await ask(server, "{ domains { totalCount } }");
  expect(known.data).toEqual({ domains: { totalCount: 0 } });
  for (const { query, variables } of questions) {
    expect((await ask(server, query, variables)).errors, query).toBeUndefined();
  }
});

it("answers each with something on the sample, and is told of the live ones", { timeout: 120_000 }, async () => {
  const server = await stopAtEnd(await pagetrack());
  expect(live.length).toBeGreaterThan(0);
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
  const client = createClient({ url: new URL("graphql", server.url).href.replace("http", "ws"), webSocketImpl: WebSocket });
  for (const { query } of live) {
    const [event] = [await client.iterate({ query }).next()];
    expect(event.value, query).toEqual({ data: expect.anything() as unknown });
  }
  await client.dispose();
});
