import { beforeEach, describe, expect, it } from "vitest";
import { isRead, markRead, markReadUpTo, read } from "./reading";

const id = (n: number): string => `019a0000-0000-7000-8000-00000000000${n}`;

beforeEach(() => read.set({ upTo: "", also: [] }));

describe("what was read", () => {
  it("is nothing at first", () => {
    expect(isRead(id(1), read.get())).toBe(false);
  });

  it("is one reply after it was opened, and no other", () => {
    markRead(id(2));
    expect([1, 2, 3].map((n) => isRead(id(n), read.get()))).toEqual([false, true, false]);
  });

  it("is everything up to a mark, and what comes later is not", () => {
    markRead(id(1));
    markRead(id(4));
    markReadUpTo(id(3));
    expect([1, 2, 3, 4, 5].map((n) => isRead(id(n), read.get()))).toEqual([true, true, true, true, false]);
    expect(read.get().also).toEqual([id(4)]);
  });

  it("never becomes less", () => {
    markReadUpTo(id(5));
    markReadUpTo(id(2));
    expect(isRead(id(5), read.get())).toBe(true);
  });
});
