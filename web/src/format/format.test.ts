import { expect, it } from "vitest";
import { formatCompact, formatCount, formatRate, formatShare } from "./numbers";
import { formatClock, formatDay, formatFull, formatHour, formatSeconds, formatSince } from "./times";

it.each([
  [0.04, "0.0 s"],
  [-3, "0.0 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [89, "89 s"],
  [91, "2 min"],
  [7200, "2 h"],
  [260_000, "3 d"],
])("says %d seconds as %s", (seconds, expected) => {
  expect(formatSeconds(seconds)).toBe(expected);
});

it("never rounds a share to nothing or to all", () => {
  expect(formatShare(1, 100_000)).toBe("<1%");
  expect(formatShare(99_999, 100_000)).toBe(">99%");
  expect(formatShare(0, 0)).toBe("0%");
  expect(formatShare(7, 7)).toBe("100%");
  expect(formatShare(81, 100)).toBe("81%");
});

it("keeps a decimal only where it says something", () => {
  expect(formatRate(2.14)).toBe("2.1");
  expect(formatRate(15_001.4)).toBe("15,001");
});

it("tells the time in UTC whatever the machine's zone", () => {
  expect(formatClock("2025-05-18T08:03:14+02:00")).toBe("06:03:14");
  expect(formatHour("2025-05-18T23:00:00Z")).toBe("23:00");
});

it("speaks English whatever the machine's language", () => {
  expect([formatCount(1_234_567), formatCompact(20_400), formatShare(1, 3)]).toEqual(["1,234,567", "20.4K", "33%"]);
  expect(formatDay("2025-05-18T08:03:14Z")).toBe("Sun 18 May");
  expect(formatFull("2025-05-18T08:03:14Z")).toBe("18 May 2025, 08:03:14 UTC");
});

it.each([
  [["2025-05-17T14:00:00Z", "2025-05-18T13:00:00Z"], "14:00 yesterday"],
  [["2025-05-18T00:00:00Z", "2025-05-18T23:00:00Z"], "00:00 today"],
  [[], undefined],
])("says where the hours %o begin", (starts, expected) => {
  expect(formatSince(starts.map((start) => ({ start })))).toBe(expected);
});
