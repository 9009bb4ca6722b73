import type { HoursQuery } from "../generated/graphql";
import { axisMarks } from "./scale";

/** One UTC hour with its pages. */
export type HourCount = NonNullable<HoursQuery["hours"]>["nodes"][number];

/** Where a chart has room for its bars, in its own units. */
export interface Frame {
  readonly width: number;
  readonly height: number;
}

/** One hour as drawn: people below, bots on top. */
export interface Bar {
  readonly hour: HourCount;
  readonly x: number;
  readonly width: number;
  readonly people: { readonly y: number; readonly height: number };
  readonly bots: { readonly y: number; readonly height: number };
}

/** A mark of the vertical axis. */
export interface Mark {
  readonly value: number;
  readonly y: number;
}

/** A stacked bar chart of hours, oldest first. Heights are exact: a bar is its count's share of the axis. */
export function layOut(hours: readonly HourCount[], frame: Frame): { bars: readonly Bar[]; marks: readonly Mark[] } {
  const values = axisMarks(Math.max(0, ...hours.map((hour) => hour.pageCount)));
  const top = values.at(-1) ?? 1;
  const toHeight = (count: number): number => (count / top) * frame.height;
  const slot = frame.width / Math.max(1, hours.length);
  const gap = Math.min(6, slot * 0.22);
  const bars = hours.map((hour, index): Bar => {
    const people = toHeight(hour.pageCount - hour.botPageCount);
    const bots = toHeight(hour.botPageCount);
    return {
      hour,
      x: index * slot + gap / 2,
      width: slot - gap,
      people: { y: frame.height - people, height: people },
      bots: { y: frame.height - people - bots, height: bots },
    };
  });
  return { bars, marks: values.map((value) => ({ value, y: frame.height - toHeight(value) })) };
}

/** Totals of all hours together. */
export function totals(hours: readonly HourCount[]): { pages: number; bots: number } {
  return hours.reduce(
    (sum, hour) => ({ pages: sum.pages + hour.pageCount, bots: sum.bots + hour.botPageCount }),
    { pages: 0, bots: 0 },
  );
}
