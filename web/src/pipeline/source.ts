import type { PipelineState } from "../dashboard.svelte";

/** How the source stands: `away` without a connection, `silent` when that lasts. */
export type SourceState = "unknown" | "sample" | "live" | "away" | "silent";

/** The service cuts each connection after 15 minutes, and is back within a moment: that is nothing to speak of. */
const SILENT_AFTER_S = 5;

/** What is known of the source at `now`, in milliseconds; nothing when the server does not answer. */
export function sourceState(pipeline: PipelineState | null | undefined, now: number): SourceState {
  if (pipeline?.source == null) return "unknown";
  if (pipeline.source === "SAMPLE") return "sample";
  if (pipeline.isConnected !== false) return "live";
  const age = eventAge(pipeline, now);
  return age === undefined || age > SILENT_AFTER_S ? "silent" : "away";
}

/** Seconds since the newest event happened; undefined before the first. */
export function eventAge({ lastEventAt }: Pick<PipelineState, "lastEventAt">, now: number): number | undefined {
  return lastEventAt === null ? undefined : (now - Date.parse(lastEventAt)) / 1000;
}
