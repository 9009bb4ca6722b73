import { expect, it } from "vitest";
import type { PipelineState } from "../dashboard.svelte";
import { type SourceState, sourceState } from "./source";

const NOW = Date.parse("2025-05-18T08:03:14Z");
const before = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

it.each<[SourceState, Pick<PipelineState, "source" | "isConnected" | "lastEventAt">]>([
  ["unknown", { source: null, isConnected: null, lastEventAt: before(1) }],
  ["sample", { source: "SAMPLE", isConnected: false, lastEventAt: before(1) }],
  ["live", { source: "LIVE", isConnected: true, lastEventAt: before(90) }],
  ["away", { source: "LIVE", isConnected: false, lastEventAt: before(2) }],
  ["silent", { source: "LIVE", isConnected: false, lastEventAt: before(60) }],
  ["silent", { source: "LIVE", isConnected: false, lastEventAt: null }],
])("is %s with %o", (expected, fields) => {
  expect(sourceState(fields as PipelineState, NOW)).toBe(expected);
});

it("is unknown while the server is silent", () => {
  expect(sourceState(null, NOW)).toBe("unknown");
  expect(sourceState(undefined, NOW)).toBe("unknown");
});
