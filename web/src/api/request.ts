import type { TypedDocumentString } from "../generated/graphql";

/** Why a question has no answer, in words for the reader, and what the log of the server has of it. */
export class RequestError extends Error {
  constructor(
    message: string,
    /** `extensions.code` of the API; NETWORK and PROTOCOL are our own. */
    readonly code: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = "RequestError";
  }
}

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string; requestId?: string } }[];
}

const TIMEOUT_MS = 10_000;

/** Asks the API once. Fails with a RequestError unless every field was answered. `signal` abandons the question. */
export async function request<T, V>(
  endpoint: string,
  document: TypedDocumentString<T, V>,
  variables: V,
  signal?: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const response = await send(endpoint, JSON.stringify({ query: document.toString(), variables }), signal, limit);
  const answer = await parseAnswer<T>(response);
  const error = answer.errors?.[0];
  if (error) throw new RequestError(error.message, error.extensions?.code ?? "INTERNAL", error.extensions?.requestId);
  if (!answer.data) throw new RequestError(`the server answered ${response.status} without data`, "PROTOCOL");
  return answer.data;
}

async function send(endpoint: string, body: string, signal: AbortSignal | undefined, limit: AbortSignal) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json" };
  try {
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    return await fetch(endpoint, { method: "POST", headers, body, signal: either });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const why = limit.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : "the server cannot be reached";
    throw new RequestError(why, "NETWORK");
  }
}

async function parseAnswer<T>(response: Response): Promise<Answer<T>> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && ("data" in body || "errors" in body)) return body as Answer<T>;
  throw new RequestError(`the server answered ${response.status} and not with GraphQL`, "PROTOCOL");
}
