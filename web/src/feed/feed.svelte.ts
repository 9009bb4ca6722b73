import type { Connection, Listener } from "../api/live";
import { RequestError } from "../api/request";
import type { CrossWikiPageFilter, PageCreatedSubscription } from "../generated/graphql";
import { addRows, type Row } from "./rows";

/** Whose pages the feed shows. */
export type Creators = "all" | "people" | "bots";

/** The two questions that a feed asks, so that it knows no address. */
export interface FeedSource {
  /** The newest pages. */
  latest(filter: CrossWikiPageFilter, signal: AbortSignal): Promise<readonly Row[]>;
  /** Pages from now on; ends with the function that it returns. */
  subscribe(filter: CrossWikiPageFilter, listener: Listener<PageCreatedSubscription>): () => void;
}

/** New rows are drawn at most this often, so that a burst does not redraw the list for each of its pages. */
const DRAW_MS = 250;

const REFILL_MS = 5_000;

/** The live feed: joins live first, then fills up with what is stored, so that nothing falls in between. */
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
  /** A reader points at or tabs into the list: its rows must not move away under them. */
  isTouched = $state(false);
  creators = $state<Creators>("all");
  withRedirects = $state(true);
  readonly isHeld = $derived(this.isPaused || this.isTouched);

  private stopLive: (() => void) | undefined;
  private filling: AbortController | undefined;
  private refill: ReturnType<typeof setTimeout> | undefined;
  private drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly source: FeedSource) {}

  /** Forgets all rows and begins anew, under the filter as it is now; the function that it returns stops the feed. */
  start(): () => void {
    this.stop();
    this.rows = this.held = [];
    this.isLoaded = false;
    this.connection = "connecting";
    this.fillError = this.liveError = undefined;
    this.stopLive = this.source.subscribe(this.filter(), {
      onEvent: (event) => this.onEvent(event),
      onConnection: (state) => this.onConnection(state),
      onRefused: (error) => (this.liveError = error),
    });
    void this.fill();
    return () => this.stop();
  }

  /** Shows what was held back, unless the feed is still held. */
  release(): void {
    clearTimeout(this.drawing);
    this.drawing = undefined;
    if (this.isHeld || this.held.length === 0) return;
    this.rows = addRows(this.rows, [...this.held].reverse());
    this.held = [];
  }

  private filter(): CrossWikiPageFilter {
    const creators = this.creators === "all" ? {} : { isBot: this.creators === "bots" };
    return this.withRedirects ? creators : { ...creators, isRedirect: false };
  }

  private onEvent({ pageCreated: event }: PageCreatedSubscription): void {
    this.liveError = undefined;
    this.hold([event.page]);
    // The server left some out since this reader was slow: they are stored, so fetch them.
    if (event.missedCount > 0) void this.fill();
  }

  private onConnection(state: Connection): void {
    const isBack = state === "connected" && this.connection === "reconnecting";
    this.connection = state;
    if (isBack) void this.fill();
  }

  private async fill(): Promise<void> {
    clearTimeout(this.refill);
    this.filling?.abort();
    const filling = (this.filling = new AbortController());
    try {
      const latest = await this.source.latest(this.filter(), filling.signal);
      if (filling.signal.aborted) return;
      const isKnown = ({ id }: Row): boolean => this.rows.some((row) => row.id === id);
      this.hold([...latest].reverse().filter((row) => !isKnown(row)));
      this.fillError = undefined;
      if (!this.isLoaded) this.release();
      this.isLoaded = true;
    } catch (error) {
      if (filling.signal.aborted) return;
      this.fillError = error instanceof RequestError ? error : new RequestError(String(error), "INTERNAL");
      this.refill = setTimeout(() => void this.fill(), REFILL_MS);
    }
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
