// What clients were promised with the last release still holds: graphql-inspector compares the schema with it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";

// Both as Node itself loads them: Vite would give the test another copy of graphql than the inspector has.
const load = createRequire(import.meta.url);
const { buildSchema } = load("graphql") as typeof import("graphql");
const { CriticalityLevel, diff } = load("@graphql-inspector/core") as typeof import("@graphql-inspector/core");

const RELEASED = readFileSync("../graphql/released.graphql", "utf8");
const SCHEMA = readFileSync("../graphql/schema.graphql", "utf8");

/** What would break a client of the released schema. */
async function breaks(text: string): Promise<string[]> {
  const changes = await diff(buildSchema(RELEASED), buildSchema(text));
  return changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking).map((change) => change.message);
}

it("breaks nothing that was released", async () => {
  expect(await breaks(SCHEMA)).toEqual([]);
});

it.each([
  ["a field that is gone", /^ {2}wiki: String!$/m, "  wikiName: String!"],
  ["a field that may be null now", /^ {2}lastPageAt: DateTime!$/m, "  lastPageAt: DateTime"],
  ["an argument that must be given now", /^ {4}userName: String!$/m, "    userName: String!\n    domain: String!"],
  ["a value that is gone", /^ {2}"15"\n {2}CATEGORY_TALK$/m, ""],
])("would notice %s", async (_what, found, change) => {
  expect(RELEASED).toMatch(found);
  expect(await breaks(RELEASED.replace(found, change))).not.toEqual([]);
});
