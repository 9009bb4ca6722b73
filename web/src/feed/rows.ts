import type { FeedPageFragment } from "../generated/graphql";

/** A row of the feed is one created page. */
export type Row = FeedPageFragment;

/** Rows that the feed keeps; the page stays quick however long it is open. */
export const MAX_ROWS = 100;

/** Puts new rows on top of the old: newest first, each page once (the later report of it wins), never more than `limit`. */
export function addRows(rows: readonly Row[], added: readonly Row[], limit = MAX_ROWS): readonly Row[] {
  const byId = new Map<string, Row>();
  for (const row of [...rows].reverse()) byId.set(row.id, row);
  for (const row of added) {
    // Set again, so that it moves behind all older ones of its second.
    byId.delete(row.id);
    byId.set(row.id, row);
  }
  return [...byId.values()].reverse().sort(newestFirst).slice(0, limit);
}

function newestFirst(a: Row, b: Row): number {
  return Date.parse(b.createdAt) - Date.parse(a.createdAt);
}
