import { describe, expect, it } from "vitest";
import { type ContactLine, Roll, draftLine } from "./roll";

const line = (n: number): ContactLine => ({ id: `id-${n}`, phone: `+${n}`, name: null, opted_out_at: null, created_at: "2026-01-01T00:00:00Z" });
const lines = (from: number, many: number): ContactLine[] => Array.from({ length: many }, (_, offset) => line(from + offset));

describe("a list fetched in parts", () => {
  it("is as long as it is before its rows are here", () => {
    const roll = Roll.of({ items: lines(0, 100), more: true }, 200_000);
    expect(roll.rows).toHaveLength(200_000);
    expect(roll.gap(0, 100)).toBeNull();
    expect(roll.gap(150_000, 150_040)).toEqual({ at: 150_000, many: 100 });
  });

  it("reads on behind the nearest row it knows", () => {
    const roll = Roll.of({ items: lines(0, 100), more: true }, 200_000);
    expect(roll.anchor(100)).toEqual({ cursor: "id-99", skip: 0 });
    expect(roll.anchor(5000)).toEqual({ cursor: "id-99", skip: 4900 });
    expect(Roll.of({ items: [], more: true }, 10).anchor(7)).toEqual({ cursor: null, skip: 7 });
  });

  it("grows while there is more, and ends where the service says so", () => {
    const growing = Roll.of({ items: lines(0, 100), more: true }, null);
    expect([growing.rows.length, growing.whole]).toEqual([200, false]);
    const ended = growing.filled(100, { items: lines(100, 30), more: false });
    expect([ended.rows.length, ended.whole]).toEqual([130, true]);
  });

  it("is shorter than was counted when the service has no more", () => {
    expect(Roll.of({ items: lines(0, 3), more: false }, 10).rows).toHaveLength(3);
  });

  it("takes a row in, out, and back in where it stood", () => {
    const roll = Roll.of({ items: lines(0, 5), more: false }, 5);
    const without = roll.without(new Set(["id-2"]));
    expect(without.rows.map((one) => one?.id)).toEqual(["id-0", "id-1", "id-3", "id-4"]);
    expect(without.with(line(2), 2).rows).toEqual(roll.rows);
  });

  it("never asks the service about a row that it does not have yet", () => {
    const roll = Roll.of({ items: lines(0, 2), more: true }, 50).with(draftLine({ phone: "+1", name: null }));
    expect(roll.ids()).toEqual(["id-0", "id-1"]);
    expect(Roll.of({ items: [], more: true }, 5).with(draftLine({ phone: "+1", name: null })).anchor(3)).toEqual({ cursor: null, skip: 2 });
  });
});
