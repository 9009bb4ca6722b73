import type { Connection, Listener } from "../api/live";
import { RequestError } from "../api/request";
import type { CrossWikiPageFilter, PageCreatedSubscription } from "../generated/graphql";
import { type StoreMark, StoreWatch } from "../pipeline/store";
import { addRows, MAX_ROWS, type Row } from "./rows";

/** Whose pages the feed shows. */
export type Creators = "all" | "people" | "bots";

/** The newest pages, newest first, and the store that they are of. */
export interface Latest {
  readonly rows: readonly Row[];
  readonly store: StoreMark | null;
}

/** The two questions that a feed asks, so that it knows no address. */
export interface FeedSource {
  /** The newest pages. */
  latest(filter: CrossWikiPageFilter, signal: AbortSignal): Promise<Latest>;
  /** Pages from now on; ends with the function that it returns. */
  subscribe(filter: CrossWikiPageFilter, listener: Listener<PageCreatedSubscription>): () => void;
}

/** New rows are drawn at most this often, so that a burst does not redraw the list for each of its pages. */
const DRAW_MS = 250;

const REFILL_MS = 5_000;

/** The live feed: what is heard joins the list once what is stored was fetched, so that nothing is missing in between. */
export class Feed {
  rows = $state.raw<readonly Row[]>([]);
  /** Heard of but not shown yet, since the feed is held. */
  held = $state.raw<readonly Row[]>([]);
  connection = $state<Connection>("connecting");
  /** Why what is stored could not be fetched; it is tried again. */
  private fillError = $state.raw<RequestError>();
  /** Why the live part was refused; it is tried again. */
  private liveError = $state.raw<RequestError>();
  readonly error = $derived(this.fillError ?? this.liveError);
  isLoaded = $state(false);
  isPaused = $state(false);
  /** A reader points into the list, or tabs through it: its rows must not move away under them. */
  isPointed = $state(false);
  isFocused = $state(false);
  creators = $state<Creators>("all");
  withRedirects = $state(true);
  readonly isHeld = $derived(this.isPaused || ((this.isPointed || this.isFocused) && this.rows.length > 0));

  private stopLive: (() => void) | undefined;
  /** Whether an event was heard since the connection stands: until then nobody knows that we are subscribed. */
  private isLive = false;
  /** Heard since something may have been missed, oldest first; undefined while nothing was. */
  private apart: readonly Row[] | undefined;
  /** Between `held` and `rows` pages are missing: they make way for what is held. */
  private isCut = false;
  private store = new StoreWatch();
  private filling: AbortController | undefined;
  private refill: ReturnType<typeof setTimeout> | undefined;
  private drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly source: FeedSource) {}

  /** Forgets all rows and begins anew, under the filter as it is now; the function that it returns stops the feed. */
  start(): () => void {
    this.stop();
    this.show([]);
    this.isLoaded = this.isLive = false;
    this.connection = "connecting";
    this.fillError = this.liveError = undefined;
    this.apart = undefined;
    this.store = new StoreWatch();
    this.stopLive = this.source.subscribe(this.filter(), {
      onEvent: (event) => this.onEvent(event),
      onConnection: (state) => this.onConnection(state),
      onRefused: (error) => (this.liveError = error),
    });
    this.catchUp();
    return () => this.stop();
  }

  /** Fetches what may have been missed; what is heard until then waits for it. */
  catchUp(): void {
    this.apart ??= [];
    void this.fill();
  }

  /** Shows what was held back, unless the feed is still held. */
  release(): void {
    clearTimeout(this.drawing);
    this.drawing = undefined;
    if (this.isHeld || this.held.length === 0) return;
    this.show(this.isCut ? this.held : addRows(this.rows, [...this.held].reverse()));
  }

  private filter(): CrossWikiPageFilter {
    const creators = this.creators === "all" ? {} : { isBot: this.creators === "bots" };
    return this.withRedirects ? creators : { ...creators, isRedirect: false };
  }

  private onEvent({ pageCreated: event }: PageCreatedSubscription): void {
    this.liveError = undefined;
    // The server left some out since this reader was slow, or some came before it took note of us: they are stored.
    if (!this.isLive || event.missedCount > 0) this.catchUp();
    this.isLive = true;
    if (this.apart) this.apart = [...this.apart, event.page].slice(-MAX_ROWS);
    else this.hold([event.page]);
  }

  private onConnection(state: Connection): void {
    const isBack = state === "connected" && this.connection === "reconnecting";
    this.connection = state;
    if (state !== "connected") this.isLive = false;
    if (isBack) this.catchUp();
  }

  private async fill(): Promise<void> {
    clearTimeout(this.refill);
    this.filling?.abort();
    const filling = (this.filling = new AbortController());
    try {
      const latest = await this.source.latest(this.filter(), filling.signal);
      if (filling.signal.aborted) return;
      this.fillError = undefined;
      this.join(latest);
    } catch (error) {
      if (filling.signal.aborted) return;
      this.fillError = error instanceof RequestError ? error : new RequestError(String(error), "INTERNAL");
      this.refill = setTimeout(() => void this.fill(), REFILL_MS);
    }
  }

  /** Joins what is stored with what was heard since it was asked for, and both with what is shown. */
  private join({ rows: stored, store }: Latest): void {
    const isOtherStore = this.store.follow(store);
    const newest = addRows(stored, this.apart ?? []);
    const before = [...this.rows, ...this.held].map((row) => row.id);
    const isKnown = ({ id }: Row): boolean => before.includes(id);
    this.apart = undefined;
    if (!this.isLoaded || isOtherStore) {
      // A new list has nothing to hold still for a reader.
      this.show(newest);
    } else if (stored.length > 0 && !stored.some(isKnown)) {
      this.isCut = true;
      this.held = [];
      this.hold([...newest].reverse());
    } else {
      this.hold([...newest].reverse().filter((row) => !isKnown(row)));
    }
    this.isLoaded = true;
  }

  private show(rows: readonly Row[]): void {
    this.rows = rows;
    this.held = [];
    this.isCut = false;
  }

  private hold(rows: readonly Row[]): void {
    this.held = addRows(this.held, rows);
    this.drawing ??= setTimeout(() => this.release(), DRAW_MS);
  }

  private stop(): void {
    this.stopLive?.();
    this.filling?.abort();
    clearTimeout(this.refill);
    clearTimeout(this.drawing);
    this.drawing = undefined;
  }
}
