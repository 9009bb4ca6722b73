// Writes src/generated/graphql.ts from graphql/schema.graphql and the documents in src/**/*.graphql.
// It fails, and with it every build, check and test, when a document does not fit the schema.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import * as typedDocuments from "@graphql-codegen/typed-document-node";
import { buildSchema, parse, Source, validate } from "graphql";

const SCHEMA = new URL("../graphql/schema.graphql", import.meta.url);
const SOURCES = new URL("./src/", import.meta.url);
const OUTPUT = new URL("./src/generated/graphql.ts", import.meta.url);

const schemaText = await readFile(SCHEMA, "utf8");
const documents = await loadDocuments();
failOnErrors(buildSchema(schemaText), documents);

const config = {
  avoidOptionals: { field: true },
  documentMode: "string",
  enumType: "string-literal",
  immutableTypes: true,
  scalars: { DateTime: "string", Hour: "string", ID: "string", Url: "string" },
  skipTypename: true,
  strictScalars: true,
  useTypeImports: true,
};
const text = await codegen({
  schema: parse(schemaText),
  documents,
  config,
  filename: OUTPUT.pathname,
  plugins: [{ operations: {} }, { typedDocuments: {} }],
  pluginMap: { operations, typedDocuments },
});
await mkdir(new URL(".", OUTPUT), { recursive: true });
// Written only when it changed, so that watchers and incremental checks stay quiet.
if (text !== (await readFile(OUTPUT, "utf8").catch(() => ""))) await writeFile(OUTPUT, text);

async function loadDocuments() {
  const names = (await readdir(SOURCES, { recursive: true })).filter((name) => name.endsWith(".graphql")).sort();
  return Promise.all(
    names.map(async (name) => {
      const body = await readFile(new URL(name, SOURCES), "utf8");
      return { location: name, document: parse(new Source(body, `src/${name}`)) };
    }),
  );
}

function failOnErrors(schema, files) {
  const errors = files.flatMap(({ document }) => validate(schema, document));
  if (errors.length === 0) return;
  for (const error of errors) process.stderr.write(`${error}\n\n`);
  process.stderr.write("the dashboard's queries do not fit graphql/schema.graphql: change the query or the schema\n");
  process.exit(1);
}
