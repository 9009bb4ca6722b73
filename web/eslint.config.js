import globals from "globals";
import svelte from "eslint-plugin-svelte";
import tseslint from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

export default tseslint.config(
  { ignores: ["dist", "src/generated", "node_modules", "test-results"] },
  ...tseslint.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: tseslint.parser, svelteConfig } },
    rules: {
      // Titles and names are written by strangers.
      "svelte/no-at-html-tags": "error",
      // The page's policy has no 'unsafe-inline' for styles.
      "svelte/no-inline-styles": ["error", { allowTransitions: false }],
      "svelte/require-each-key": "error",
      // Every outside link goes through WikiLink; there is no router to resolve the inside ones.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  { rules: { eqeqeq: ["error", "always", { null: "ignore" }], "no-console": "error" } },
);
