import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const installed = (path: string): URL => new URL(`../node_modules/${path}`, import.meta.url);

/** GraphiQL's own files, by the name under which `/graphiql/` serves them. */
const FILES: Record<string, URL> = {
  "react.production.min.js": installed("react/umd/react.production.min.js"),
  "react-dom.production.min.js": installed("react-dom/umd/react-dom.production.min.js"),
  "graphiql.min.js": installed("graphiql/graphiql.min.js"),
  "graphiql.min.css": installed("graphiql/graphiql.min.css"),
};

/** Copies GraphiQL and React as published into `dist/graphiql/`, and links them from GraphiQL's page only. */
export function graphiqlFiles(): Plugin {
  return {
    name: "pagetrack:graphiql",
    apply: "build",
    generateBundle() {
      for (const [name, path] of Object.entries(FILES)) {
        this.emitFile({ type: "asset", fileName: `graphiql/${name}`, source: readFileSync(path) });
      }
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { path }) {
        if (!path.startsWith("/graphiql/")) return html;
        return Object.keys(FILES).map((name) =>
          name.endsWith(".css")
            ? { tag: "link", attrs: { rel: "stylesheet", href: `/graphiql/${name}` }, injectTo: "head-prepend" as const }
            : { tag: "script", attrs: { src: `/graphiql/${name}`, defer: true }, injectTo: "head-prepend" as const },
        );
      },
    },
  };
}
