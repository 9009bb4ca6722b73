// Pages that others made, served as published: GraphiQL, and Swagger UI and ReDoc for REST.
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const installed = (path: string): URL => new URL(`./node_modules/${path}`, import.meta.url);

/** Their files, by the path under which they are served. */
const FILES: Record<string, URL> = {
  "graphiql/react.production.min.js": installed("react/umd/react.production.min.js"),
  "graphiql/react-dom.production.min.js": installed("react-dom/umd/react-dom.production.min.js"),
  "graphiql/graphiql.min.js": installed("graphiql/graphiql.min.js"),
  "graphiql/graphiql.min.css": installed("graphiql/graphiql.min.css"),
  "docs/swagger-ui-bundle.js": installed("swagger-ui-dist/swagger-ui-bundle.js"),
  "docs/swagger-ui.css": installed("swagger-ui-dist/swagger-ui.css"),
  "docs/oauth2-redirect.js": installed("swagger-ui-dist/oauth2-redirect.js"),
  "redoc/redoc.standalone.js": installed("redoc/bundles/redoc.standalone.js"),
};

/** What nobody links: a page has it linked where it wants it. */
const UNLINKED = ["docs/oauth2-redirect.js"];

/** ReDoc shows a picture of its makers' host; no page asks another host. */
const ELSEWHERE = "https://cdn.redoc.ly/redoc/logo-mini.svg";

/** Copies the files into `dist/`, and links each from the pages of its folder only. */
export function publishedFiles(): Plugin {
  return {
    name: "pagetrack:published",
    apply: "build",
    generateBundle() {
      for (const [fileName, path] of Object.entries(FILES)) {
        this.emitFile({ type: "asset", fileName, source: readFileSync(path, "utf8").replaceAll(ELSEWHERE, "/favicon.svg") });
      }
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { path }) {
        if (!path.endsWith("/index.html")) return html;
        const own = Object.keys(FILES).filter((name) => path.startsWith(`/${name.split("/")[0] ?? ""}/`));
        return own
          .filter((name) => !UNLINKED.includes(name))
          .map((name) =>
            name.endsWith(".css")
              ? { tag: "link", attrs: { rel: "stylesheet", href: `/${name}` }, injectTo: "head-prepend" as const }
              : { tag: "script", attrs: { src: `/${name}`, defer: true }, injectTo: "head-prepend" as const },
          );
      },
    },
  };
}
