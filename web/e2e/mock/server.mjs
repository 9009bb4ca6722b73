// A stand-in for the binary while developing: serves dist/ under the real policy, and GraphQL with made-up answers.
// `node e2e/mock/server.mjs [port] [sample|live|away|unknown|empty|broken]`; prints its address like the binary does.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { buildSchema, graphql } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { rootValue } from "./resolvers.mjs";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const DIST = new URL("../../dist/", import.meta.url);
const SCHEMA = new URL("../../../graphql/schema.graphql", import.meta.url);

/** Policies of the two pages; README.md says why they differ where they do. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
export const GRAPHIQL_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='").replace(
  "img-src 'self'",
  "img-src 'self' data:; font-src data:",
);

/** Starts the mock; resolves to its address and a function that ends it. */
export async function startMock(state = "sample", port = 0) {
  const schema = buildSchema(await readFile(SCHEMA, "utf8"));
  const server = createServer((req, res) => {
    const answer = req.url.startsWith("/graphql") ? answerQuery(schema, state, req, res) : answerFile(req, res);
    answer.catch((error) => res.writeHead(500).end(String(error)));
  });
  const sockets = new WebSocketServer({ server, path: "/graphql" });
  const roots = { query: rootValue(state), subscription: rootValue(state) };
  const live = useServer({ schema, roots }, sockets);
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const close = async () => {
    await live.dispose();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}

async function answerQuery(schema, state, req, res) {
  if (state === "broken") return res.writeHead(503, { "content-type": "text/plain" }).end("no store");
  let body = "";
  for await (const part of req) body += part;
  const { query: source, variables: variableValues, operationName } = JSON.parse(body);
  const result = await graphql({ schema, source, variableValues, operationName, rootValue: rootValue(state) });
  res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
}

async function answerFile(req, res) {
  const path = new URL(req.url, "http://x").pathname;
  const isGraphiql = path.startsWith("/graphiql");
  const name = { "/": "index.html", "/graphiql": "graphiql/index.html", "/graphiql/": "graphiql/index.html" }[path] ?? path.slice(1);
  const body = await readFile(new URL(name, DIST)).catch(() => null);
  if (body === null) return res.writeHead(404).end();
  const headers = { "content-type": TYPES[extname(name)], "content-security-policy": isGraphiql ? GRAPHIQL_POLICY : POLICY };
  res.writeHead(200, headers).end(body);
}

const isMain = process.argv[1] === new URL(import.meta.url).pathname;
if (isMain) {
  const { url } = await startMock(process.argv[3], Number(process.argv[2] ?? 0));
  process.stdout.write(`dashboard  ${url}\n`);
  process.on("SIGTERM", () => process.exit(0));
}
