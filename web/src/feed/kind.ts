import type { Row } from "./rows";

/** What kind of page it is, in a word; null for an article, which needs none. Wikis number 100 and more as they like. */
export function kindOf({ namespace, namespaceName }: Pick<Row, "namespace" | "namespaceName">): string | null {
  if (namespaceName === "MAIN") return null;
  return namespaceName === "OTHER" ? `ns ${namespace}` : namespaceName.toLowerCase().replaceAll("_", " ");
}
