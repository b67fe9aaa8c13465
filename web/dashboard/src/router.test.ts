import { describe, expect, it } from "vitest";
import { type Route, match, routeOf, routes } from "./router";

describe("an address", () => {
  it("matches part by part, and gives what stands in the places of names", () => {
    expect(match("/campaigns/:id", "/campaigns/a%20b")).toEqual({ id: "a b" });
    expect(match("/campaigns/:id", "/campaigns")).toBeNull();
    expect(match("/campaigns", "/campaigns/")).toEqual({});
    expect(match("/", "/")).toEqual({});
    expect(match("/", "/campaigns")).toBeNull();
  });

  it("prefers a route that spells it out to one with a name in it", () => {
    const named = (path: string): Route => ({ path, load: () => Promise.reject(new Error()), texts: [] });
    expect(routeOf("/campaigns/new", [named("/campaigns/:id"), named("/campaigns/new")])?.route.path).toBe("/campaigns/new");
  });

  it("belongs to one route only", () => {
    const paths = routes.map((route) => route.path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toContain("/");
  });
});
