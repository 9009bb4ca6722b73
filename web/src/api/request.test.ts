import { expect, it } from "vitest";
import { PipelineDocument } from "../generated/graphql";
import { type Answer, fakeEndpoint, reply } from "./fakeEndpoint";
import { request, RequestError } from "./request";

async function checkFailure(answer: Answer, code: string, message: RegExp): Promise<RequestError> {
  const failure: unknown = await request(await fakeEndpoint(answer), PipelineDocument, {}).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(RequestError);
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
  return failure as RequestError;
}

it("gives the data", async () => {
  let sent = "";
  const endpoint = await fakeEndpoint((body, response) => {
    sent = body;
    reply(200, { data: { pipeline: null } })(body, response);
  });
  expect(await request(endpoint, PipelineDocument, {})).toEqual({ pipeline: null });
  expect(JSON.parse(sent)).toMatchObject({ query: expect.stringContaining("query Pipeline") as string });
});

it("passes on what the API says of its errors", async () => {
  const errors = [{ message: "the store is away", extensions: { code: "UNAVAILABLE", requestId: "r-1" } }];
  const failure = await checkFailure(reply(200, { data: { pipeline: null }, errors }), "UNAVAILABLE", /store is away/);
  expect(failure.requestId).toBe("r-1");
});

it("takes an error page for what it is", async () => {
  await checkFailure(reply(502, "<html>bad gateway</html>"), "PROTOCOL", /answered 502/);
  await checkFailure(reply(200, "[]"), "PROTOCOL", /not with GraphQL/);
  await checkFailure(reply(200, { data: null }), "PROTOCOL", /without data/);
});

it("notices a connection that breaks", async () => {
  await checkFailure((_, response) => response.destroy(), "NETWORK", /cannot be reached/);
});

it("is silent when nobody waits any more", async () => {
  const stop = new AbortController();
  const endpoint = await fakeEndpoint(() => stop.abort());
  await expect(request(endpoint, PipelineDocument, {}, stop.signal)).rejects.toMatchObject({ name: "AbortError" });
});
