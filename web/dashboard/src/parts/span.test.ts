import { describe, expect, it } from "vitest";
import { MOST_ROWS, placeOf, spanOf } from "./span";

const SEEN = 700;
const HEIGHT = 44;

describe("the rows on the screen", () => {
  it("are the first ones at the top", () => {
    expect(spanOf(0, SEEN, 200_000, HEIGHT)).toMatchObject({ first: 0, shift: 0, whole: 8_800_000 });
  });

  it("end with the last one at the bottom", () => {
    expect(spanOf(200_000 * HEIGHT - SEEN, SEEN, 200_000, HEIGHT).last).toBe(200_000);
  });

  it("are never more than the most, however tall the screen", () => {
    const { first, last } = spanOf(50_000, 4000, 200_000, HEIGHT);
    expect(last - first).toBeLessThanOrEqual(MOST_ROWS);
  });

  it("reach the end of a list that no browser could hold", () => {
    const { last, whole } = spanOf(15_000_000 - SEEN, SEEN, 3_000_000, HEIGHT);
    expect(whole).toBe(15_000_000);
    expect(last).toBe(3_000_000);
  });

  it.each([0, 1, 777_777, 2_999_999])("show row %d after going there", (index) => {
    const at = placeOf(index, 0, SEEN, 3_000_000, HEIGHT);
    const { first, last } = spanOf(at, SEEN, 3_000_000, HEIGHT);
    expect(first).toBeLessThanOrEqual(index);
    expect(last).toBeGreaterThan(index);
  });

  it("do not move for a row that is seen", () => {
    expect(placeOf(105, 100 * HEIGHT, SEEN, 200_000, HEIGHT)).toBe(100 * HEIGHT);
  });
});
