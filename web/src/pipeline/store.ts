import type { SourceKind } from "../generated/graphql";

/** Of which store an answer tells: where its pages come from, and since when it is open. */
export interface StoreMark {
  readonly source: SourceKind | null;
  readonly startedAt: string;
}

/** Notices when answers come from another store, so that pages of two stores never stand beside each other. */
export class StoreWatch {
  private seen: StoreMark | undefined;

  /** Takes note of an answer's store; true when it is another one than before. Null tells nothing. */
  follow(now: StoreMark | null): boolean {
    if (!now) return false;
    const isOther = this.seen !== undefined && isOtherStore(this.seen, now);
    // A source that is not known yet is the one before, unless the store is another.
    const source = now.source ?? (isOther ? null : (this.seen?.source ?? null));
    this.seen = { source, startedAt: now.startedAt };
    return isOther;
  }
}

/** The live store outlives its program; a sample is made anew at each start. */
function isOtherStore(before: StoreMark, now: StoreMark): boolean {
  if (before.source && now.source && before.source !== now.source) return true;
  return before.startedAt !== now.startedAt && [before.source, now.source].includes("SAMPLE");
}
