// The schema as Relay's compiler wants it: it compiles a fragment with @refetchable and @connection on every connection.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSchema, getNamedType, isObjectType, parse, TypeInfo, visit, visitWithTypeInfo } from "graphql";
import { afterEach, expect, it } from "vitest";

const SCHEMA = readFileSync("../graphql/schema.graphql", "utf8");
const SOURCE = readFileSync("contract/relay/Connections.ts", "utf8");
const schema = buildSchema(SCHEMA);
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Compiles what stands in contract/relay against a schema's text, in a folder of its own. */
function compile(schemaText: string): { status: number | null; said: string } {
  const folder = mkdtempSync(join(tmpdir(), "pagetrack-relay-"));
  folders.push(folder);
  cpSync("contract/relay", join(folder, "src"), { recursive: true });
  writeFileSync(join(folder, "schema.graphql"), schemaText);
  const config = { src: "src", schema: "schema.graphql", language: "typescript", artifactDirectory: "src/generated" };
  const scalars = { DateTime: "string", Hour: "string", Url: "string" };
  writeFileSync(join(folder, "relay.config.json"), JSON.stringify({ ...config, customScalarTypes: scalars }));
  mkdirSync(join(folder, "src/generated"));
  const command = [join(process.cwd(), "node_modules/relay-compiler/cli.js"), "--noWatchman"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** Type and field of every field of an object that gives a connection. */
function connections(): string[] {
  const objects = Object.values(schema.getTypeMap()).filter(isObjectType);
  const fields = objects.flatMap((type) => Object.values(type.getFields()).map((field) => [type.name, field] as const));
  const isConnection = (name: string): boolean => name.endsWith("Connection");
  return fields.filter(([, field]) => isConnection(getNamedType(field.type).name)).map(([type, field]) => `${type}.${field.name}`);
}

/** Type and field of every field with @connection in a fragment with @refetchable. */
function compiled(): string[] {
  const texts = [...SOURCE.matchAll(/graphql`([^`]*)`/g)].map((match) => match[1] ?? "");
  const fragments = texts.filter((text) => text.includes("@refetchable")).map((text) => parse(text));
  return fragments.flatMap((document) => {
    const [types, found] = [new TypeInfo(schema), [] as string[]];
    const enter = (node: { readonly name: { readonly value: string }; readonly directives?: readonly { readonly name: { readonly value: string } }[] }): void => {
      if (node.directives?.some((directive) => directive.name.value === "connection")) {
        found.push(`${types.getParentType()?.name}.${node.name.value}`);
      }
    };
    visit(document, visitWithTypeInfo(types, { Field: enter }));
    return found;
  });
}

it("pages every connection of the schema", () => {
  expect(compiled().sort()).toEqual(connections().sort());
  expect(connections().length).toBeGreaterThan(10);
});

it("compiles", () => {
  const { status, said } = compile(SCHEMA);
  expect(said).not.toMatch(/error|warning/i);
  expect(status).toBe(0);
});

it("would not compile where a list is no connection", () => {
  const { status, said } = compile(SCHEMA.replaceAll("hasNextPage", "goesOn"));
  expect(said).toContain("hasNextPage");
  expect(status).not.toBe(0);
});
