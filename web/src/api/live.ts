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
  const client = connect(endpoint, listener, options);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
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

function connect(endpoint: string, listener: Listener<never>, options: Partial<ClientOptions>): Client {
  let wasConnected = false;
  return createClient({
    url: liveUrl(endpoint),
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => wait(attempt),
    ...options,
    on: {
      connecting: () => listener.onConnection(wasConnected ? "reconnecting" : "connecting"),
      connected: () => {
        wasConnected = true;
        listener.onConnection("connected");
      },
      closed: () => listener.onConnection("reconnecting"),
    },
  });
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
