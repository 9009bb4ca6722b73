import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";
import { liveUrl } from "../src/api/live";
import { EXAMPLES } from "./examples";
import "./graphiql.css";

// GraphiQL and React are served as they were published, as scripts that define these names.
declare const React: { createElement(type: unknown, props: Record<string, unknown> | null, ...children: unknown[]): unknown };
declare const ReactDOM: { createRoot(target: Element): { render(element: unknown): void } };
declare const GraphiQL: { Logo: unknown };

const endpoint = new URL("/graphql", location.origin).href;
const target = document.getElementById("graphiql");
if (!target) throw new Error("graphiql/index.html has no #graphiql");

const fetcher = createGraphiQLFetcher({ url: endpoint, wsClient: createClient({ url: liveUrl(endpoint) }) });
target.replaceChildren();
// Where GraphiQL has its name is the way back to the dashboard.
const back = React.createElement(GraphiQL.Logo, null, React.createElement("a", { href: "/" }, "Pagetrack"));
ReactDOM.createRoot(target).render(
  React.createElement(GraphiQL, { fetcher, defaultTabs: EXAMPLES, shouldPersistHeaders: false }, back),
);
