// The schema by the rules of graphql-schema-linter, Relay's among them: all of its rules, none switched off.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const SCHEMA = readFileSync("../graphql/schema.graphql", "utf8");

interface Finding {
  readonly message: string;
  readonly rule: string;
}

/** What the linter finds in a schema's text. */
function lint(text: string): readonly Finding[] {
  const command = ["node_modules/graphql-schema-linter/lib/cli.js", "--stdin", "--format", "json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { input: text, encoding: "utf8" });
  // 1: findings. Anything else that is not 0 is a fault of the linter or of its arguments.
  if (status !== 0 && status !== 1) throw new Error(`${status}: ${stdout}${stderr}`);
  return (JSON.parse(stdout) as { errors: Finding[] }).errors;
}

it("finds nothing", () => {
  expect(lint(SCHEMA)).toEqual([]);
});

it("would find a connection that is none, and a field that nobody describes", () => {
  const wrong = SCHEMA.replace(/type PageInfo \{/, "type PageInfo {\n  aField: Int\n").replace("pageInfo: PageInfo!", "pageInfo: PageInfo");
  const rules = new Set(lint(wrong).map((finding) => finding.rule));
  expect([...rules].sort()).toEqual(["fields-have-descriptions", "relay-connection-types-spec"]);
});
