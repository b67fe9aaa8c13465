import { afterEach, describe, expect, it } from "vitest";
import { bytes, decimal, duration, milliseconds, number, percent, relative, share } from "./format";
import { language } from "./texts/language";

afterEach(() => language.set("en"));

describe("figures", () => {
  it("are written as the language writes them", () => {
    expect([number(1234567), decimal(2.55), percent(0.1234), bytes(1_572_864)]).toEqual(["1,234,567", "2.6", "12.3%", "1.5 MB"]);
    language.set("fr");
    expect([number(1234567), percent(0.5), bytes(10)].map((text) => text.replace(/\s/g, " "))).toEqual(["1 234 567", "50 %", "10 o"]);
  });

  it("of nothing are a dash", () => {
    expect(percent(share(0, 0))).toBe("–");
  });
});

describe("times", () => {
  it("name their two largest units", () => {
    expect([3.25, 59, 61, 3660, 7200, 90_000].map(duration)).toEqual(["3.3 s", "59 s", "1 min 01 s", "1 h 01 min", "2 h", "1 d 1 h"]);
    expect([milliseconds(12), milliseconds(3400)]).toEqual(["12 ms", "3.4 s"]);
  });

  it("are told from now", () => {
    const now = new Date("2026-03-01T12:00:00Z");
    expect(relative("2026-03-01T11:57:00Z", now)).toBe("3 min ago");
    language.set("fr");
    expect(relative("2026-03-01T14:00:00Z", now).replace(/\s/g, " ")).toBe("dans 2 h");
  });
});
