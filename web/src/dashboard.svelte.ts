import { subscribe } from "./api/live";
import { Poll } from "./api/poll.svelte";
import { request } from "./api/request";
import type { HourCount } from "./charts/bars";
import { Feed, type FeedSource } from "./feed/feed.svelte";
import { MAX_ROWS } from "./feed/rows";
import {
  HoursDocument,
  LatestPagesDocument,
  PageCreatedDocument,
  PipelineDocument,
  type PipelineQuery,
  TopDomainsDocument,
  type TopDomainsQuery,
} from "./generated/graphql";

const HOURS = 24;
const TOP_DOMAINS = 10;

/** The pipeline as the API tells it. */
export type PipelineState = NonNullable<PipelineQuery["pipeline"]>;

/** The wikis with the most pages, and how many wikis there are. */
export interface DomainsState {
  readonly top: NonNullable<TopDomainsQuery["topDomains"]>;
  readonly count: number | null;
}

/** Everything that the page shows, each part asked for at its own pace. */
export interface Dashboard {
  readonly pipeline: Poll<PipelineState | null>;
  readonly hours: Poll<readonly HourCount[]>;
  readonly domains: Poll<DomainsState>;
  readonly feed: Feed;
}

/** Puts the dashboard together over one API. Nothing is asked before its parts are started. */
export function openDashboard(endpoint: string): Dashboard {
  return {
    pipeline: new Poll(async (signal) => (await request(endpoint, PipelineDocument, {}, signal)).pipeline, 2_000),
    hours: new Poll((signal) => loadHours(endpoint, signal), 10_000),
    domains: new Poll((signal) => loadDomains(endpoint, signal), 10_000),
    feed: new Feed(feedSource(endpoint)),
  };
}

async function loadHours(endpoint: string, signal: AbortSignal): Promise<readonly HourCount[]> {
  const { hours } = await request(endpoint, HoursDocument, { hours: HOURS }, signal);
  return [...(hours?.nodes ?? [])].reverse();
}

async function loadDomains(endpoint: string, signal: AbortSignal): Promise<DomainsState> {
  const { topDomains, domains } = await request(endpoint, TopDomainsDocument, { limit: TOP_DOMAINS }, signal);
  return { top: topDomains ?? [], count: domains?.totalCount ?? null };
}

function feedSource(endpoint: string): FeedSource {
  return {
    async latest(filter, signal) {
      const { pages, pipeline } = await request(endpoint, LatestPagesDocument, { first: MAX_ROWS, filter }, signal);
      return { rows: pages?.nodes ?? [], store: pipeline };
    },
    subscribe: (filter, listener) => subscribe(endpoint, PageCreatedDocument, { filter }, listener),
  };
}
