import { readdirSync, readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { expect, it } from "vitest";
import { EXAMPLES } from "./examples";

const schema = buildSchema(readFileSync("../graphql/schema.graphql", "utf8"));

it.each(EXAMPLES)("fits the schema: $query", ({ query, variables }) => {
  expect(validate(schema, parse(query))).toEqual([]);
  expect(() => JSON.parse(variables ?? "{}") as unknown).not.toThrow();
});

it("leaves none out", () => {
  expect(EXAMPLES).toHaveLength(readdirSync("graphiql/examples").length);
});
