// The stores that a server is tested on. Without servers (`make test` says so) the folder alone.
import { randomBytes } from "node:crypto";

const cassandra = process.env["PAGETRACK_TEST_CASSANDRA"];
if (!cassandra && process.env["CI"]) throw new Error("PAGETRACK_TEST_CASSANDRA must be set in CI");

/** Each with a name, and its address: none where the store is a folder of the server's own. */
export const STORES: readonly (readonly [name: string, store: string | undefined])[] = [
  ["embedded", undefined],
  ...(cassandra ? ([["Cassandra", `${cassandra}/web_${randomBytes(4).toString("hex")}`]] as const) : []),
];
