import { describe, expect, it } from "vitest";
import type { Minute } from "~/queries/campaigns";
import { added, fromNothing } from "./minutes";

const minute = (at: string, sent: number): Minute => ({
  minute: at,
  sent,
  delivered: 0,
  read: 0,
  send_failed: 0,
  interactions: 0,
  message_2_sent: 0,
});

describe("curves", () => {
  it("come from nothing, and show what each minute added", () => {
    const minutes = fromNothing([minute("2026-03-01T12:00:00Z", 4), minute("2026-03-01T12:01:00Z", 10)]);
    expect(minutes[0]?.minute).toBe("2026-03-01T11:59:00.000Z");
    expect(added(minutes, "sent")).toEqual([0, 4, 6]);
    expect(fromNothing([])).toEqual([]);
  });
});
