import { expect, it } from "vitest";
import { addRows, MAX_ROWS, type Row } from "./rows";

function row(id: number, second = id, title = `T${id}`): Row {
  const createdAt = new Date(Date.UTC(2025, 4, 18, 8) + second * 1000).toISOString();
  const wiki = { name: "it.wikisource.org" };
  const user = { url: "https://it.wikisource.org/wiki/User:A" };
  const flags = { namespace: 0, namespaceName: "MAIN" as const, isRedirect: false, isBot: false };
  return { id: `p${id}`, title, url: "https://it.wikisource.org/wiki/T", createdAt, userName: "A", user, domain: wiki, ...flags };
}

const ids = (rows: readonly Row[]): string[] => rows.map((r) => r.id);

it("puts the newest on top", () => {
  const rows = addRows(addRows([], [row(1), row(2)]), [row(3), row(4)]);
  expect(ids(rows)).toEqual(["p4", "p3", "p2", "p1"]);
});

it("lets the last one heard of stand on top of its second", () => {
  const rows = addRows(addRows([], [row(1, 5), row(2, 5)]), [row(3, 5)]);
  expect(ids(rows)).toEqual(["p3", "p2", "p1"]);
});

it("sorts a late one to its place", () => {
  expect(ids(addRows([row(9), row(7)], [row(8)]))).toEqual(["p9", "p8", "p7"]);
});

it("has each page once and believes the later report", () => {
  const rows = addRows([row(2), row(1)], [row(1, 1, "moved")]);
  expect(ids(rows)).toEqual(["p2", "p1"]);
  expect(rows[1]?.title).toBe("moved");
});

it("stays within its limit and drops the oldest", () => {
  let rows: readonly Row[] = [];
  for (let i = 0; i < 1000; i++) rows = addRows(rows, [row(i)]);
  expect(rows).toHaveLength(MAX_ROWS);
  expect(rows[0]?.id).toBe("p999");
  expect(rows.at(-1)?.id).toBe("p900");
});
