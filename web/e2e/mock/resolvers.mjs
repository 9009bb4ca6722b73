// Answers of the mock, by root field. What is not here is null.
import { setTimeout as sleep } from "node:timers/promises";
import { fits, makePage } from "./pages.mjs";

const HOUR = 3_600_000;
const name = (time) => new Date(time).toISOString().slice(0, 13).replace("T", "-");

function hour(start, now) {
  const wave = 1 + 0.45 * Math.sin(start / HOUR / 3.4) + 0.25 * Math.sin(start / HOUR / 1.3);
  const share = start + HOUR > now ? (now - start) / HOUR : 1;
  const people = Math.round(180 * wave * share);
  const bots = Math.round(640 * Math.max(0.3, Math.sin(start / HOUR / 2.1) + 0.8) * share);
  const isOver = start + HOUR <= now;
  const times = { start: new Date(start).toISOString(), end: new Date(start + HOUR).toISOString() };
  return { hour: name(start), ...times, isOver, pageCount: people + bots, botPageCount: bots, userCount: 41, domainCount: 17 };
}

function stage(stageName, counts, rate) {
  const [inCount, outCount, rejectedCount, excludedCount, canaryCount] = counts;
  const inFlightCount = inCount && inCount - outCount - rejectedCount - excludedCount - canaryCount;
  return { name: stageName, inCount, outCount, rejectedCount, excludedCount, canaryCount, inFlightCount, eventsPerSecond: rate, lagRecords: null };
}

const STATES = {
  sample: { source: "SAMPLE", sourceReason: "stream.wikimedia.org could not be reached for 10 s (name not resolved)" },
  live: { source: "LIVE", sourceReason: null, isConnected: true },
  away: { source: "LIVE", sourceReason: "the stream answers 503", isConnected: false },
};
const STARTED_AT = new Date().toISOString();

/** The pipeline in one of the states that the dashboard must show. */
export function pipeline(state) {
  const writer = state === "unknown" ? [null, null, null, null, null] : [20_405, 20_404, 0, 0, 0];
  return {
    ...(STATES[state] ?? STATES.live),
    lagSeconds: state === "unknown" ? null : 0.42,
    lastEventAt: new Date(Date.now() - (state === "away" ? 62_000 : 0)).toISOString(),
    lastCanaryAt: STARTED_AT,
    startedAt: STARTED_AT,
    version: "0.1.0",
    stages: [
      stage("PRODUCER", [20_463, 20_463, 0, 0, 0], 2.1),
      stage("CLEANER", [20_463, 20_405, 1, 44, 12], 2.0),
      stage("WRITER", writer, state === "unknown" ? null : 2.0),
    ],
    rejected: [{ reason: "ANONYMOUS_CREATOR", count: 44 }, { reason: "MISSING_FIELD", count: 1 }],
    gaps: { totalCount: state === "unknown" ? 4 : 0, nodes: state === "unknown" ? [{ from: "2026-11-20T04:00:00Z", to: "2026-11-20T04:31:00Z", reason: "HISTORY_EXPIRED" }] : [] },
  };
}

const DOMAINS = [["www.wikidata.org", 12_320, 11_020], ["commons.wikimedia.org", 4_120, 2_310], ["en.wikipedia.org", 1_040, 21], ["ceb.wikipedia.org", 610, 604], ["fr.wikipedia.org", 388, 12], ["it.wikisource.org", 301, 0], ["ar.wikipedia.org", 290, 180], ["ja.wikipedia.org", 144, 0], ["arz.wikipedia.org", 96, 90], ["be-tarask.wikipedia.org", 12, 0]];

/** The root value for one state: sample, live, away (the stream is), unknown (a stage is not heard of), empty (no data yet). */
export function rootValue(state) {
  const isEmpty = state === "empty";
  const now = Date.now();
  return {
    pipeline: () => pipeline(state),
    hours: ({ during: { lastHours } }) => ({
      nodes: Array.from({ length: lastHours }, (_, i) => hour(now - (now % HOUR) - i * HOUR, now)).map((h) =>
        isEmpty ? { ...h, pageCount: 0, botPageCount: 0 } : h,
      ),
    }),
    topDomains: ({ limit }) =>
      isEmpty ? [] : DOMAINS.slice(0, limit).map(([domain, pageCount, botPageCount]) => ({ pageCount, botPageCount, domain: { name: domain, url: `https://${domain}/` } })),
    domains: () => ({ totalCount: isEmpty ? 0 : 212 }),
    pages: ({ first, filter }) => ({
      nodes: isEmpty ? [] : Array.from({ length: first * 4 }, (_, i) => makePage(5000 - i, now - i * 700)).filter((page) => fits(page, filter)).slice(0, first),
    }),
    pageCreated: async function* ({ filter }) {
      for (let n = 5001; !isEmpty; n++) {
        await sleep(300);
        const page = makePage(n, Date.now());
        if (fits(page, filter)) yield { pageCreated: { missedCount: 0, page } };
      }
    },
  };
}
