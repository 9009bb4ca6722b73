import { RequestError } from "./request";

/** Loads something once; `signal` aborts when nobody wants it any more. */
export type Load<T> = (signal: AbortSignal) => Promise<T>;

const SLOWEST_MS = 30_000;

/**
 * Something asked for again and again. `value` is the newest answer and stays when a later question fails; then `error`
 * says why, and the questions come less often until one is answered. A hidden tab asks nothing.
 */
export class Poll<T> {
  value = $state.raw<T>();
  error = $state.raw<RequestError>();
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly load: Load<T>,
    private readonly everyMs: number,
  ) {}

  /** Starts asking; the function that it returns stops it. */
  start(): () => void {
    const onVisible = (): void => {
      if (document.visibilityState === "visible") void this.reload();
    };
    document.addEventListener("visibilitychange", onVisible);
    void this.reload();
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      clearTimeout(this.timer);
      this.running?.abort();
    };
  }

  /** Asks now. */
  async reload(): Promise<void> {
    clearTimeout(this.timer);
    this.running?.abort();
    const running = (this.running = new AbortController());
    try {
      const value = await this.load(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = undefined;
      this.failures = 0;
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error instanceof RequestError ? error : new RequestError(String(error), "INTERNAL");
      this.failures += 1;
    }
    this.timer = setTimeout(() => this.next(), Math.min(SLOWEST_MS, this.everyMs * 2 ** this.failures));
  }

  private next(): void {
    if (document.visibilityState === "visible") void this.reload();
  }
}
