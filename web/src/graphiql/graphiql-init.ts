import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";
import { liveUrl } from "../api/live";
import { EXAMPLES } from "./examples";
import "./graphiql.css";

// GraphiQL and React are served as they were published, as scripts that define these names.
declare const React: { createElement(type: unknown, props: Record<string, unknown>): unknown };
declare const ReactDOM: { createRoot(target: Element): { render(element: unknown): void } };
declare const GraphiQL: unknown;

const endpoint = new URL("/graphql", location.origin).href;
const target = document.getElementById("graphiql");
if (!target) throw new Error("graphiql/index.html has no #graphiql");

const fetcher = createGraphiQLFetcher({ url: endpoint, wsClient: createClient({ url: liveUrl(endpoint) }) });
target.replaceChildren();
ReactDOM.createRoot(target).render(
  React.createElement(GraphiQL, { fetcher, defaultTabs: EXAMPLES, shouldPersistHeaders: false }),
);
