/** What a server answers to a document. */
export interface Answer<Data> {
  readonly status: number;
  readonly data: Data;
  readonly errors?: readonly unknown[];
}

/** Posts a document to the endpoint at `url`, and takes the answer in either media type of GraphQL over HTTP. */
export async function post<Data = Record<string, unknown>>(url: string | URL, query: string, variables?: unknown): Promise<Answer<Data>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json;q=0.9" },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as Omit<Answer<Data>, "status">;
  return { ...answer, status: response.status };
}
