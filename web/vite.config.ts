/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { publishedFiles } from "./published.ts";

const page = (path: string): string => new URL(path, import.meta.url).pathname;

/** Where `npm run dev` finds the API. */
const api = process.env["PAGETRACK_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte(), publishedFiles()],
  build: {
    // The pages are served under a policy without inline code or styles: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: {
      input: {
        dashboard: page("index.html"),
        graphiql: page("graphiql/index.html"),
        docs: page("docs/index.html"),
        redoc: page("redoc/index.html"),
      },
    },
  },
  server: { proxy: { "/graphql": { target: api, ws: true, changeOrigin: true } } },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
  test: { include: ["src/**/*.test.ts", "graphiql/**/*.test.ts", "contract/**/*.test.ts"], restoreMocks: true },
});
