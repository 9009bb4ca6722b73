import { expect, it } from "vitest";
import { type HourCount, layOut, totals } from "./bars";
import { axisMarks } from "./scale";

function hour(index: number, pageCount: number, botPageCount: number): HourCount {
  const at = (n: number): string => new Date(Date.UTC(2025, 4, 18, n)).toISOString();
  return { hour: `2025-05-18-${index}`, start: at(index), end: at(index + 1), isOver: true, pageCount, botPageCount };
}

it.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [3, [0, 1, 2, 3]],
  [4, [0, 1, 2, 3, 4]],
  [7, [0, 2, 4, 6, 8]],
  [100, [0, 50, 100]],
  [101, [0, 50, 100, 150]],
  [5213, [0, 2000, 4000, 6000]],
  [Number.NaN, [0, 1]],
])("marks an axis up to %d with round numbers", (max, expected) => {
  expect(axisMarks(max)).toEqual(expected);
});

it("stacks bots on people, to scale, on the ground", () => {
  const { bars, marks } = layOut([hour(0, 40, 30), hour(1, 0, 0), hour(2, 20, 0)], { width: 300, height: 100 });
  const [first, empty, last] = bars;
  expect(marks.map((mark) => [mark.value, mark.y])).toEqual([[0, 100], [10, 75], [20, 50], [30, 25], [40, 0]]);
  expect(first?.people).toEqual({ y: 75, height: 25 });
  expect(first?.bots).toEqual({ y: 0, height: 75 });
  expect(empty?.people).toEqual({ y: 100, height: 0 });
  expect(last?.people).toEqual({ y: 50, height: 50 });
  expect(last?.bots.height).toBe(0);
});

it("keeps the bars inside the frame and apart", () => {
  const { bars } = layOut(Array.from({ length: 24 }, (_, i) => hour(i, i, 0)), { width: 240, height: 10 });
  expect(bars[0]?.x).toBeGreaterThanOrEqual(0);
  bars.slice(1).forEach((bar, i) => expect(bar.x).toBeGreaterThan((bars[i]?.x ?? 0) + (bars[i]?.width ?? 0)));
  expect((bars[23]?.x ?? 0) + (bars[23]?.width ?? 0)).toBeLessThanOrEqual(240);
});

it("draws nothing of nothing", () => {
  expect(layOut([], { width: 100, height: 100 }).bars).toEqual([]);
  expect(totals([])).toEqual({ pages: 0, bots: 0 });
});
