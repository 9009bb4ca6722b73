// The page is in English, so are its numbers and times, whatever the reader's own language is.
const whole = new Intl.NumberFormat("en");
const rate = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `20,431`. */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** `2.1`; from 100 on without decimals. */
export function formatRate(value: number): string {
  return value < 100 ? rate.format(value) : whole.format(Math.round(value));
}

/** `20.4K`, for the marks of an axis. */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** The share of a whole: `81%`; `0%` of nothing, and never a rounded 0% or 100% that hides a rest. */
export function formatShare(part: number, total: number): string {
  if (total <= 0 || part <= 0) return percent.format(0);
  if (part >= total) return percent.format(1);
  const share = part / total;
  if (share < 0.01) return `<${percent.format(0.01)}`;
  return share > 0.99 ? `>${percent.format(0.99)}` : percent.format(share);
}
