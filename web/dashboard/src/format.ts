import { language } from "~/texts/language";

const kept = new Map<string, unknown>();

/** Return a formatter of the language in use; making one is dear, so each is made once. */
function formatter<T>(kind: string, make: (locale: string) => T): T {
  const locale = language.get() === "fr" ? "fr-FR" : "en-GB";
  const key = `${locale} ${kind}`;
  const known = kept.get(key) as T | undefined;
  if (known !== undefined) return known;
  const made = make(locale);
  kept.set(key, made);
  return made;
}

/** 12,345 */
export const number = (value: number): string =>
  formatter("number", (locale) => new Intl.NumberFormat(locale)).format(value);

/** 3.5, with so many decimals at most */
export const decimal = (value: number, most = 1): string =>
  formatter(`decimal ${most}`, (locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: most })).format(value);

/** A share of 0 to 1 as 12.3 %; null as a dash */
export const percent = (share: number | null, most = 1): string =>
  share === null || Number.isNaN(share)
    ? "–"
    : formatter(
        `percent ${most}`,
        (locale) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: most }),
      ).format(share);

/** How much of a whole, as a share; null where the whole is nothing */
export const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

type When = string | Date;

/** 14:32 */
export const time = (at: When): string =>
  formatter("time", (locale) => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" })).format(new Date(at));

/** 14:32:07 */
export const exactTime = (at: When): string =>
  formatter(
    "exact time",
    (locale) => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  ).format(new Date(at));

/** 3 Mar 2026 */
export const day = (at: When): string =>
  formatter("day", (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" })).format(new Date(at));

/** 3 Mar 2026, 14:32 */
export const moment = (at: When): string =>
  formatter("moment", (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" })).format(
    new Date(at),
  );

/** 14:32 today, 3 Mar 14:32 within the year, else with the year */
export function shortMoment(at: When, now: Date = new Date()): string {
  const then = new Date(at);
  if (then.toDateString() === now.toDateString()) return time(then);
  if (then.getFullYear() !== now.getFullYear()) return moment(then);
  return formatter(
    "short moment",
    (locale) => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
  ).format(then);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** 3 minutes ago, in 2 hours */
export function relative(at: When, now: Date = new Date()): string {
  const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return formatter(
    "relative",
    (locale) => new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }),
  ).format(Math.round(seconds / size), unit);
}

/** Like `relative`, of what has happened: never in the future, however old the drawn "now" is. */
export const ago = (at: When, now: Date): string => relative(at, new Date(Math.max(now.getTime(), new Date(at).getTime())));

/** 2 h 05 min, 3 min 20 s, 4.5 s; the two largest units */
export function duration(seconds: number): string {
  if (seconds < 10) return `${decimal(seconds)} s`;
  const whole = Math.round(seconds);
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  const rest = whole % 60;
  const dayName = language.get() === "fr" ? "j" : "d";
  if (days > 0) return hours > 0 ? `${number(days)} ${dayName} ${hours} h` : `${number(days)} ${dayName}`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${String(minutes).padStart(2, "0")} min` : `${hours} h`;
  if (minutes > 0) return rest > 0 ? `${minutes} min ${String(rest).padStart(2, "0")} s` : `${minutes} min`;
  return `${rest} s`;
}

/** A span of milliseconds: 120 ms, 3.4 s, 2 min */
export const milliseconds = (ms: number): string => (ms < 1000 ? `${number(Math.round(ms))} ms` : duration(ms / 1000));

/** 1.2 MB */
export function bytes(size: number): string {
  const units = language.get() === "fr" ? ["o", "Ko", "Mo", "Go"] : ["B", "KB", "MB", "GB"];
  const step = Math.min(units.length - 1, size > 0 ? Math.floor(Math.log(size) / Math.log(1024)) : 0);
  return `${decimal(size / 1024 ** step)} ${units[step] ?? ""}`;
}
