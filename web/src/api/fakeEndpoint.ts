import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How the fake answers one request, whose body is given. */
export type Answer = (body: string, response: ServerResponse) => void;

/** For tests: an endpoint on a real socket that answers as told, until the test ends. */
export async function fakeEndpoint(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    // It has no live feed: the handshake of one is a plain GET.
    if (request.method === "POST") void readBody(request).then((body) => answer(body, response));
    else response.writeHead(426).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

/** An answer with this status and body. */
export function reply(status: number, body: unknown): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (_, response) => response.writeHead(status, { "content-type": "application/json" }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request) body += String(part);
  return body;
}
