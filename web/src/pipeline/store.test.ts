import { expect, it } from "vitest";
import type { SourceKind } from "../generated/graphql";
import { StoreWatch } from "./store";

it.each<[string, readonly (readonly [SourceKind | null, string])[], boolean]>([
  ["the same sample", [["SAMPLE", "t1"], ["SAMPLE", "t1"]], false],
  ["a sample made anew", [["SAMPLE", "t1"], ["SAMPLE", "t2"]], true],
  ["the live store after a restart", [["LIVE", "t1"], ["LIVE", "t2"]], false],
  ["the live stream after the sample", [["SAMPLE", "t1"], ["LIVE", "t2"]], true],
  ["a source that changes in place", [["LIVE", "t1"], ["SAMPLE", "t1"]], true],
  ["a source that gets known", [[null, "t1"], ["SAMPLE", "t1"]], false],
  ["a sample whose source is lost for a moment", [["SAMPLE", "t1"], [null, "t1"], ["SAMPLE", "t1"]], false],
  ["whatever comes after a sample, its source not known yet", [["SAMPLE", "t1"], [null, "t2"]], true],
  ["the sample after live, its source known late", [["LIVE", "t1"], [null, "t2"], ["SAMPLE", "t2"]], true],
])("tells %s", (_, marks, expected) => {
  const watch = new StoreWatch();
  const told = marks.map(([source, startedAt]) => watch.follow({ source, startedAt }));
  expect(told.at(-1)).toBe(expected);
});

it("learns nothing from an answer without a store", () => {
  const watch = new StoreWatch();
  watch.follow({ source: "SAMPLE", startedAt: "t1" });
  expect(watch.follow(null)).toBe(false);
  expect(watch.follow({ source: "SAMPLE", startedAt: "t2" })).toBe(true);
});
