import { describe, expect, it } from "vitest";
import { EMPTY, bodyOf, missing } from "./form";
import { fill, isBroken } from "./template";

const ana = { name: " Ana ", attributes: { city: "Lomé", age: 30 } };

describe("a text", () => {
  it("is filled from the contact, then by its defaults, and shows what is lacking", () => {
    expect(fill("Hi {{name}} of {{attributes.city}}, {{shop|our shop}} {{street}}!", ana)).toEqual([
      { kind: "text", text: "Hi " },
      { kind: "value", text: "Ana" },
      { kind: "text", text: " of " },
      { kind: "value", text: "Lomé" },
      { kind: "text", text: ", " },
      { kind: "default", text: "our shop" },
      { kind: "text", text: " " },
      { kind: "hole", text: "street" },
      { kind: "text", text: "!" },
    ]);
  });

  it("is broken where braces do not match", () => {
    expect(["{{name}", "name}}", "{{name}} {{", "{{name}}", "{single}", "{{city|}}"].map(isBroken)).toEqual([true, true, true, false, false, false]);
  });
});

describe("a draft", () => {
  it("can be kept once it has a name, people and a text", () => {
    expect(missing(EMPTY)).toEqual(["name", "categories", "message1"]);
    expect(missing({ ...EMPTY, name: "a", categories: ["b"], message1: "c" })).toEqual([]);
  });

  it("names only the overrides that somebody typed", () => {
    expect(bodyOf({ ...EMPTY, name: " Spring ", delay: "3.5" })).toMatchObject({
      name: "Spring",
      message_2: null,
      pacing: { delay: 3.5 },
      quiet_hours: null,
      spread_over_days: null,
    });
    expect(bodyOf(EMPTY).pacing).toEqual({});
    expect(bodyOf(EMPTY)).not.toHaveProperty("sender_id");
  });
});
