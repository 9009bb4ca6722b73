// Made-up pages for developing the dashboard without the binary: ordinary ones, and each kind of hostile text.
const WIKIS = ["www.wikidata.org", "www.wikidata.org", "commons.wikimedia.org", "en.wikipedia.org", "it.wikisource.org", "ar.wikipedia.org", "ja.wikipedia.org"];
const TITLES = {
  "www.wikidata.org": (n) => `Q${130_000_000 + n}`,
  "commons.wikimedia.org": (n) => `File:Panorama of the harbour, north pier (${n}).jpg`,
  "en.wikipedia.org": (n) => `Draft:List of lighthouses ${n}`,
  "it.wikisource.org": (n) => `Pagina:Villani - Cronica.djvu/${n}`,
  "ar.wikipedia.org": (n) => `تصنيف:مدن وقرى ${n}`,
  "ja.wikipedia.org": (n) => `灯台の一覧 ${n}`,
};
const HOSTILE = [
  "invoice\u202Efdp.exe",
  "<img src=x onerror=alert(1)>",
  "zero\u200Bwidth and \u0007bell",
  `Za\u0310\u0311\u0312\u0313\u0314\u033D\u0346\u034A\u034B\u034C\u0350\u0351\u0352lgo`,
  "A".repeat(255),
];
const USERS = ["Alex brollo", "LargeDatasetBot", "Emijrpbot", "~2026-12345-67", "محمد علي", "Evil\u202Eresu"];

/** Page number n, created at `time` (ms). Its fields are as the schema has them. */
export function makePage(n, time) {
  const domain = WIKIS[(n * 5 + (n >> 3)) % WIKIS.length];
  const isHostile = n % 17 === 0;
  const userName = USERS[(n * 5 + (n >> 2)) % USERS.length];
  const title = isHostile ? HOSTILE[(n / 17) % HOSTILE.length] : TITLES[domain](n);
  const url = n % 34 === 0 ? "javascript:alert(document.domain)" : `https://${domain}/wiki/${encodeURIComponent(title.replaceAll(" ", "_"))}`;
  const namespaceName = { "commons.wikimedia.org": "FILE", "ar.wikipedia.org": "CATEGORY", "it.wikisource.org": "OTHER" }[domain] ?? "MAIN";
  return {
    __typename: "Page",
    id: `page-${n}`,
    pageId: String(n),
    title,
    pageTitle: title.replaceAll(" ", "_"),
    url,
    namespace: { FILE: 6, CATEGORY: 14, OTHER: 104, MAIN: 0 }[namespaceName],
    namespaceName,
    isRedirect: n % 11 === 0,
    isBot: userName.toLowerCase().endsWith("bot"),
    createdAt: new Date(time - (time % 1000)).toISOString(),
    userName,
    user: { url: `https://${domain}/wiki/User:${encodeURIComponent(userName)}` },
    domain: { __typename: "Domain", name: domain },
  };
}

/** Whether a page passes a PageFilter. */
export function fits(page, filter) {
  if (filter?.isBot != null && page.isBot !== filter.isBot) return false;
  return filter?.isRedirect == null || page.isRedirect === filter.isRedirect;
}
