// A small server that speaks like the event stream, as long as it wants to.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A running stream. */
export interface Stream {
  readonly url: string;
  /** Breaks off all connections and answers 503 from now on. */
  die(): void;
  /** Is well again. */
  revive(): void;
  stop(): void;
}

const EVERY_MS = 300;

/** Starts a stream that tells of a new page with one of these titles after the other, several a second. */
export async function startStream(titles: readonly string[]): Promise<Stream> {
  const readers = new Set<ServerResponse>();
  let isDead = false;
  let count = 0;
  const server = createServer((_, response) => {
    if (isDead) return response.writeHead(503).end();
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" }).write(":ok\n\n");
    readers.add(response);
    return response.on("close", () => readers.delete(response));
  });
  const timer = setInterval(() => {
    const text = event(++count, titles[count % titles.length] ?? "");
    for (const reader of readers) reader.write(text);
  }, EVERY_MS);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => server.closeAllConnections();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    die() {
      isDead = true;
      cut();
    },
    revive: () => (isDead = false),
    stop() {
      clearInterval(timer);
      cut();
      server.close();
    },
  };
}

/** The number's page, as the stream tells of it now. */
function event(number: number, title: string): string {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  const topic = "eqiad.mediawiki.page-create";
  const id = JSON.stringify([{ topic, partition: 0, timestamp: Date.now() }]);
  const page = {
    $schema: "/mediawiki/revision/create/1.1.0",
    meta: { id: crypto.randomUUID(), dt: now, domain: "en.wikipedia.org", stream: "mediawiki.page-create", topic, partition: 0, offset: number },
    database: "enwiki",
    page_id: number,
    page_title: title,
    page_namespace: 0,
    page_is_redirect: false,
    rev_id: number,
    rev_timestamp: now,
    performer: { user_text: "Keeper of the light", user_id: 7, user_is_bot: false, user_groups: ["*", "user"] },
  };
  return `event: message\nid: ${id}\ndata: ${JSON.stringify(page)}\n\n`;
}
