// The registrable domains of Wikimedia's wikis. A link to anywhere else is not one that a page of the stream can have.
const HOSTS =
  /^(?:[a-z0-9-]+\.)*(?:wiki(?:pedia|books|news|quote|source|versity|voyage|data|media|functions)|wiktionary|mediawiki|wikimediafoundation)\.org$/;

/** The address to link to, or null where it is not a plain https address of a Wikimedia wiki. Takes nothing on trust. */
export function safeLink(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port, username, password, href } = new URL(url);
  const isPlain = protocol === "https:" && port === "" && username === "" && password === "";
  return isPlain && HOSTS.test(hostname) ? href : null;
}
