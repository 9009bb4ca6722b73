// GraphQL over HTTP as its reference audit wants it: each of its checks is a test, of the program itself.
import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, startPagetrack } from "../e2e/server";
import { STORES } from "../e2e/stores";
import { startStream, type Stream } from "../e2e/stream";

describe.each(STORES)("over %s", (_name, store) => {
  let stream: Stream;
  let server: Server;

  beforeAll(async () => {
    stream = await startStream(["Lantern"]);
    server = await startPagetrack({ source: stream.url, store });
  }, 120_000);

  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    stream?.stop();
  });

  const audits = serverAudits({ url: () => new URL("graphql", server.url).href, fetchFn: fetch });

  it("is asked all that the audit knows", () => {
    expect(audits).toHaveLength(61);
  });

  it.each(audits.map((audit) => [audit.id, audit.name, audit] as const))("%s %s", async (_id, _name, audit) => {
    const result = await audit.fn();
    const said = "response" in result ? `${result.response.status} ${await result.response.text()}` : "";
    expect(result.status, "reason" in result ? `${result.reason}: ${said}` : said).toBe("ok");
  });
});
