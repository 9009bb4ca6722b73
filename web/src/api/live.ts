import { type Client, type ClientOptions, createClient } from "graphql-ws";
import type { TypedDocumentString } from "../generated/graphql";
import { RequestError } from "./request";

/** How the live connection stands. */
export type Connection = "connecting" | "connected" | "reconnecting";

/** What a subscriber hears. */
export interface Listener<T> {
  /** An event. */
  onEvent(event: T): void;
  /** The connection's state changed. */
  onConnection(state: Connection): void;
  /** The server refused the subscription; it is tried again. */
  onRefused(error: RequestError): void;
}

const RETRY_REFUSED_MS = 5_000;
const LONGEST_WAIT_MS = 10_000;
const PING_EVERY_MS = 10_000;
/** A connection over which nothing comes back is none, though nobody closed it. */
const PONG_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 15_000;

/** The live address that belongs to an HTTP one: same host, same path. */
export function liveUrl(endpoint: string): string {
  return endpoint.replace(/^http/, "ws");
}

/** Subscribes and stays subscribed, whatever happens to the connection. The function that it returns ends it. */
export function subscribe<T, V extends Record<string, unknown>>(
  endpoint: string,
  document: TypedDocumentString<T, V>,
  variables: V,
  listener: Listener<T>,
  options: Partial<ClientOptions> = {},
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  // Our own end closes the connection, too: that is no news.
  const tell = (state: Connection): void => {
    if (!isOver) listener.onConnection(state);
  };
  const client = connect(endpoint, tell, options);
  let end = (): void => undefined;
  const again = (): void => {
    if (!isOver) timer = setTimeout(open, RETRY_REFUSED_MS);
  };
  const open = (): void => {
    end = client.subscribe<T>(
      { query: document.toString(), variables },
      {
        next: ({ data, errors }) => {
          if (data) listener.onEvent(data);
          else if (errors?.[0]) listener.onRefused(new RequestError(errors[0].message, "INTERNAL"));
        },
        error: (error) => {
          listener.onRefused(refusal(error));
          again();
        },
        complete: again,
      },
    );
  };
  open();
  return () => {
    isOver = true;
    clearTimeout(timer);
    // The client closes its connection with its only subscription.
    end();
  };
}

function connect(endpoint: string, tell: (state: Connection) => void, options: Partial<ClientOptions>): Client {
  let wasConnected = false;
  let limit: ReturnType<typeof setTimeout> | undefined;
  const within = (ms: number): void => {
    clearTimeout(limit);
    limit = setTimeout(() => client.terminate(), ms);
  };
  const client = createClient({
    url: liveUrl(endpoint),
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => wait(attempt),
    ...options,
    on: {
      connecting: () => {
        within(CONNECT_WITHIN_MS);
        tell(wasConnected ? "reconnecting" : "connecting");
      },
      connected: () => {
        clearTimeout(limit);
        wasConnected = true;
        tell("connected");
      },
      ping: (isReceived) => {
        if (!isReceived) within(PONG_WITHIN_MS);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(limit);
      },
      closed: () => {
        clearTimeout(limit);
        tell("reconnecting");
      },
    },
  });
  return client;
}

/** Doubles up to ten seconds; the jitter keeps a thousand dashboards from coming back in the same moment. */
function wait(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

function refusal(error: unknown): RequestError {
  const first: unknown = Array.isArray(error) ? error[0] : error;
  const message = first instanceof Error ? first.message : null;
  return new RequestError(message ?? "the live feed was refused", "LIVE");
}
