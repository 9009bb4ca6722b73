// What graphql-js asks of a schema, with each of its options: so do GraphiQL, code generators and linters.
import { buildClientSchema, getIntrospectionQuery, validateSchema, type IntrospectionQuery } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pagetrack, type Server } from "../e2e/server";

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
    const response = await fetch(new URL("graphql", server.url), {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: getIntrospectionQuery(options) }),
    });
    const answer = (await response.json()) as { data: IntrospectionQuery; errors?: unknown };
    expect(answer.errors, JSON.stringify(options)).toBeUndefined();
    expect(response.status).toBe(200);
    expect(validateSchema(buildClientSchema(answer.data))).toEqual([]);
  }
});
