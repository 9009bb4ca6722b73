import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");
const tokens = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, color]) => [name, color]));
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
const THEMES = { light: tokens(light), dark: tokens(dark) };

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** As WCAG 2 has it: 1 is no contrast, 21 is black on white. */
function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

const SHAPES = [
  ["people", "surface"],
  ["bots", "surface"],
  ["bots", "sunken"],
  ["people", "bots"],
  ["control", "surface"],
  ["control", "sunken"],
] as const;
const cases = (["light", "dark"] as const).flatMap((theme) => SHAPES.map((pair) => [theme, ...pair] as const));

it.each(cases)("in %s, %s stands out from %s", (theme, a, b) => {
  const { [a]: one = "", [b]: other = "" } = THEMES[theme];
  expect(contrast(one, other)).toBeGreaterThanOrEqual(3);
});
