import { expect, it } from "vitest";
import { safeLink } from "./link";

it.each([
  "https://it.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29",
  "https://www.wikidata.org/wiki/Q1",
  "https://commons.wikimedia.org/wiki/File:%22x%22.jpg",
  "https://be-tarask.wikipedia.org/wiki/%D0%90",
  "https://www.mediawiki.org/wiki/X?y=1#z",
])("links to %s", (url) => {
  expect(safeLink(url)).toBe(url);
});

it.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "http://it.wikisource.org/wiki/X",
  "//it.wikisource.org/wiki/X",
  "/wiki/X",
  "",
  "https://en.wikipedia.org.evil.example/wiki/X",
  "https://evil.example#.wikipedia.org",
  "https://evil.example/en.wikipedia.org",
  "https://en.wikipedia.org@evil.example/",
  "https://user:pass@en.wikipedia.org/",
  "https://en.wikipedia.org:8443/",
  "https://evilwikipedia.org/",
  "https://user@en.wikipedia.org/",
  "https://:pass@en.wikipedia.org/",
  "https://en.wikip\u0435dia.org/",
])("does not link to %s", (url) => {
  expect(safeLink(url)).toBeNull();
});

it("gives the address as the browser understands it", () => {
  expect(safeLink("https://en.wikipedia.org\\@evil.example")).toBe("https://en.wikipedia.org/@evil.example");
  expect(safeLink(" https://en.wikipedia.org/wiki/\tX\n")).toBe("https://en.wikipedia.org/wiki/X");
});
