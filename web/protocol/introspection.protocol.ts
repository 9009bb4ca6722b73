// What graphql-js asks of a schema, with each of its options: so do GraphiQL, code generators and linters.
import { buildClientSchema, getIntrospectionQuery, validateSchema, type IntrospectionQuery } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pagetrack, type Server } from "../e2e/server";
import { post } from "./post";

let server: Server;

beforeAll(async () => {
  server = await pagetrack();
});

afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

// `experimentalDirectiveDeprecation` is of no released specification.
const OPTIONS = [
  "descriptions",
  "specifiedByUrl",
  "directiveIsRepeatable",
  "schemaDescription",
  "inputValueDeprecation",
  "oneOf",
] as const;

const choices = Array.from({ length: 2 ** OPTIONS.length }, (_, bits) =>
  Object.fromEntries(OPTIONS.map((option, index) => [option, Boolean(bits & (1 << index))])),
);

it("passes within its budget, whatever is asked of it", { timeout: 180_000 }, async () => {
  for (const options of choices) {
    const answer = await post<IntrospectionQuery>(new URL("graphql", server.url), getIntrospectionQuery(options));
    expect(answer.errors, JSON.stringify(options)).toBeUndefined();
    expect(answer.status).toBe(200);
    expect(validateSchema(buildClientSchema(answer.data))).toEqual([]);
  }
});
