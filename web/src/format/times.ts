const utc = { timeZone: "UTC", hourCycle: "h23" } as const;
const clock = new Intl.DateTimeFormat("en-GB", { ...utc, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const hour = new Intl.DateTimeFormat("en-GB", { ...utc, hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { ...utc, weekday: "short", day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en-GB", { ...utc, dateStyle: "medium", timeStyle: "medium" });

/** `08:03:14`, in UTC like everything here. */
export function formatClock(time: string): string {
  return clock.format(new Date(time));
}

/** `08:00`. */
export function formatHour(time: string): string {
  return hour.format(new Date(time));
}

/** `Sun 18 May`. */
export function formatDay(time: string): string {
  return day.format(new Date(time));
}

/** `18 May 2025, 08:03:14 UTC`. */
export function formatFull(time: string): string {
  return `${full.format(new Date(time))} UTC`;
}

/** Where the hours begin, as seen from the last one: `14:00 yesterday`; undefined when there are none. */
export function formatSince(hours: readonly { readonly start: string }[]): string | undefined {
  const [first, last] = [hours[0], hours.at(-1)];
  if (!first || !last) return undefined;
  const isToday = day.format(new Date(first.start)) === day.format(new Date(last.start));
  return `${formatHour(first.start)} ${isToday ? "today" : "yesterday"}`;
}

/** A length of time for people: `0.4 s`, `12 s`, `3 min`, `2 h`, `4 d`. */
export function formatSeconds(seconds: number): string {
  const length = Math.max(0, seconds);
  if (length < 9.95) return `${length.toFixed(1)} s`;
  if (length < 90) return `${Math.round(length)} s`;
  if (length < 90 * 60) return `${Math.round(length / 60)} min`;
  return length < 48 * 3600 ? `${Math.round(length / 3600)} h` : `${Math.round(length / 86_400)} d`;
}
