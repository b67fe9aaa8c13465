import { describe, expect, it } from "vitest";
import { address } from "./client";
import { Refusal, asRefusal, refusalOf } from "./problem";

describe("an address of the service", () => {
  it("has its names filled in and leaves out what is not asked", () => {
    expect(address("/api/contacts/{id}", { id: "a/b" })).toBe("/api/contacts/a%2Fb");
    expect(address("/api/contacts", {}, { q: "Zoë", cursor: null, opted_out: false, many: ["a", "b"] })).toBe(
      "/api/contacts?q=Zo%C3%AB&opted_out=false&many=a&many=b",
    );
  });
});

describe("a refusal", () => {
  it("carries the service's code and words", async () => {
    const body = JSON.stringify({ code: "quota", detail: "too little room", remaining: 3 });
    const refusal = await refusalOf(new Response(body, { status: 429, headers: { "Content-Type": "application/problem+json" } }));
    expect([refusal.status, refusal.code, refusal.message, refusal.document?.remaining]).toEqual([429, "quota", "too little room", 3]);
    expect(refusal.passing).toBe(false);
  });

  it("may come from a proxy, or be no answer at all", async () => {
    const proxy = await refusalOf(new Response("<html>", { status: 502 }));
    expect([proxy.code, proxy.passing]).toEqual(["unreadable", true]);
    expect(asRefusal(new TypeError("failed to fetch")).code).toBe("offline");
    expect(asRefusal(new Refusal(409, "not_possible", "no")).passing).toBe(false);
  });
});
