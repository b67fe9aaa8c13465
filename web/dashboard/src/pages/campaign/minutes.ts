import type { Minute } from "~/queries/campaigns";

/** Return the minutes after one in which nothing had happened yet: a curve needs where to come from. */
export function fromNothing(minutes: Minute[]): Minute[] {
  const first = minutes[0];
  if (!first) return [];
  const before = new Date(new Date(first.minute).getTime() - 60_000).toISOString();
  return [{ minute: before, sent: 0, delivered: 0, read: 0, send_failed: 0, interactions: 0, message_2_sent: 0 }, ...minutes];
}

/** Return what each minute added to a counter. */
export function added(minutes: Minute[], name: "sent" | "interactions"): number[] {
  return minutes.map((minute, index) => Math.max(0, minute[name] - (minutes[index - 1]?.[name] ?? 0)));
}
