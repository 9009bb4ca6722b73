// The live feed as the reference clients of its two protocols hear it, from the program itself.
import { createClient as createEventsClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type Server, startPagetrack } from "../e2e/server";
import { STORES } from "../e2e/stores";
import { startStream, type Stream } from "../e2e/stream";

const subscription = "subscription { pageCreated { page { title } missedCount } }";
const health = "subscription { pipelineChanged { isConnected stages { name outCount } } }";

interface Changed {
  readonly data: { readonly pipelineChanged: { readonly isConnected: boolean; readonly stages: readonly { readonly name: string; readonly outCount: number | null }[] } };
}

interface Asks {
  iterate(payload: { query: string }): AsyncIterableIterator<unknown>;
  dispose(): unknown;
}

describe.each(STORES)("over %s", (_name, store) => {
  let stream: Stream;
  let server: Server;
  const url = (): string => new URL("graphql", server.url).href;

  beforeAll(async () => {
    stream = await startStream(["Lantern", "Lamp"]);
    server = await startPagetrack({ source: stream.url, store });
  }, 120_000);

  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    stream?.stop();
  });

  const clients: [string, () => Asks][] = [
    ["graphql-ws", () => createSocketClient({ url: url().replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 })],
    ["graphql-sse", () => createEventsClient({ url: url(), retryAttempts: 0 })],
  ];

  it.each(clients)("tells %s of each page until it leaves", async (_name, create) => {
    const client = create();
    const heard: unknown[] = [];
    for await (const event of client.iterate({ query: subscription })) {
      heard.push(event);
      if (heard.length === 2) break;
    }
    const created = { page: { title: expect.any(String) }, missedCount: expect.any(Number) };
    expect(heard).toEqual([1, 2].map(() => expect.objectContaining({ data: { pageCreated: created } })));
    await client.dispose();
  });

  it.each(clients)("tells %s of the pipeline as it goes on", async (_name, create) => {
    const client = create();
    const written: number[] = [];
    let hasConnected = false;
    for await (const { data } of client.iterate({ query: health }) as AsyncIterableIterator<Changed>) {
      const writer = data.pipelineChanged.stages.find(({ name }) => name === "WRITER");
      if (writer?.outCount) written.push(writer.outCount);
      hasConnected ||= data.pipelineChanged.isConnected;
      if ((written.at(-1) ?? 0) > (written[0] ?? 0) && hasConnected) break;
    }
    expect(hasConnected).toBe(true);
    expect(written.at(-1)).toBeGreaterThan(written[0] ?? Infinity);
    await client.dispose();
  }, 30_000);

  it.each(clients)("answers a query of %s once", async (_name, create) => {
    const client = create();
    const heard: unknown[] = [];
    for await (const answer of client.iterate({ query: "{ __typename }" })) heard.push(answer);
    expect(heard).toEqual([expect.objectContaining({ data: { __typename: "Query" } })]);
    await client.dispose();
  });

  it("closes a socket whose introduction is no message", async () => {
    const socket = new WebSocket(url().replace("http", "ws"), "graphql-transport-ws");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload: [1] })));
    expect(await closed).toBe(4400);
  });

  it("closes a socket that does not introduce itself in its ten seconds", { timeout: 30_000 }, async () => {
    const socket = new WebSocket(url().replace("http", "ws"), "graphql-transport-ws");
    const begun = Date.now();
    // A ping is no introduction: it does not make the time longer.
    socket.on("open", () => setTimeout(() => socket.send(JSON.stringify({ type: "ping" })), 5_000));
    const closed = await new Promise((resolve) => socket.on("close", (code, reason) => resolve([code, reason.toString()])));
    expect(closed).toEqual([4408, "Connection initialisation timeout"]);
    expect(Date.now() - begun).toBeGreaterThan(9_000);
  });
});
