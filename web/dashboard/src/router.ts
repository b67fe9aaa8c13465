import type { ComponentType } from "preact";
import type { QueryClient } from "@tanstack/preact-query";
import { type Language, language } from "~/texts/language";
import type { IconName } from "~/parts/icon";
import type common from "~/texts/en/common";
import { store } from "~/store";

export type Params = Record<string, string>;

/** One address of the dashboard. Each page says its own in `pages/<page>/route.ts`; nothing else lists them. */
export interface Route {
  /** `/campaigns/:id`: a part that begins with a colon is any text, and comes as a parameter. */
  path: string;
  /** Its place in the navigation; left out: it has none, and lights up the entry its address begins with. */
  nav?: { order: number; icon: IconName; label: keyof (typeof common)["nav"] };
  load: () => Promise<{ default: ComponentType<{ params: Params }> }>;
  texts: { load: (language: Language) => Promise<void> }[];
  /** Ask for what the page will show, while its code is still on the way. */
  prefetch?: (client: QueryClient, params: Params) => Promise<unknown>[];
}

export interface Place {
  path: string;
  query: URLSearchParams;
  route: Route | null;
  params: Params;
  page: ComponentType<{ params: Params }> | null;
  /** Counts arrivals, so that a new one can be told from a change of the query. */
  arrival: number;
}

const found = import.meta.glob<{ default: Route | Route[] }>("./pages/*/route.ts", { eager: true });

/** Every address there is. */
export const routes: Route[] = Object.values(found).flatMap((module) => module.default);

/** Where we are; null until the first page is here. */
export const place = store<Place | null>(null);

/** Match a path against a route's. */
export function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split("/");
  const given = path.replace(/\/+$/, "").split("/");
  if (path === "/" && pattern === "/") return {};
  if (wanted.length !== given.length) return null;
  const params: Params = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? "";
    if (part.startsWith(":")) {
      if (!actual) return null;
      params[part.slice(1)] = decodeURIComponent(actual);
    } else if (part !== actual) return null;
  }
  return params;
}

/** Find the route of a path: one without parameters goes first. */
export function routeOf(path: string, among: Route[] = routes): { route: Route; params: Params } | null {
  const sorted = [...among].sort((one, other) => Number(one.path.includes(":")) - Number(other.path.includes(":")));
  for (const route of sorted) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return null;
}

let client: QueryClient | null = null;
let latest = 0;

/** Bring a page here, code, texts and first data at the same time, then show it. */
async function arrive(): Promise<void> {
  const mine = ++latest;
  const path = location.pathname;
  const query = new URLSearchParams(location.search);
  const before = place.get();
  const matched = routeOf(path);
  if (before && before.path === path) {
    place.set({ ...before, query });
    return;
  }
  if (!matched) {
    place.set({ path, query, route: null, params: {}, page: null, arrival: mine });
    return;
  }
  if (client && !("door" in document.documentElement.dataset)) {
    // What is refused here is asked again, and shown, by the page itself.
    for (const asked of matched.route.prefetch?.(client, matched.params) ?? []) asked.catch(() => undefined);
  }
  const [module] = await Promise.all([
    matched.route.load(),
    ...matched.route.texts.map((texts) => texts.load(language.get())),
  ]);
  if (mine !== latest) return; // somebody went on meanwhile
  place.set({ path, query, ...matched, page: module.default, arrival: mine });
}

function fetchFailed(error: unknown): void {
  // A new version was deployed and our files are gone: the fresh shell names the new ones.
  if (error instanceof TypeError) location.reload();
  else throw error;
}

/** Go to an address of the dashboard. */
export function go(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(history.state, "", to);
  else history.pushState(null, "", to);
  arrive().catch(fetchFailed);
}

/** Change what stands behind the question mark; null takes it out. The page stays. */
export function ask(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const asked = query.toString();
  go(asked ? `${location.pathname}?${asked}` : location.pathname, { replace: true });
}

function ownLink(event: Event): URL | null {
  const anchor = event.target instanceof Element ? event.target.closest("a") : null;
  if (!anchor || anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin) return null;
  const to = new URL(anchor.href);
  return routeOf(to.pathname) ? to : null;
}

/** Take over links and the back button. Resolves when the first page is here. */
export async function route(with_: QueryClient): Promise<void> {
  client = with_;
  addEventListener("popstate", () => void arrive().catch(fetchFailed));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const to = ownLink(event);
    if (!to || (to.hash && to.pathname === location.pathname)) return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
  document.addEventListener("pointerover", (event) => {
    const to = ownLink(event);
    if (to) routeOf(to.pathname)?.route.load().catch(() => undefined);
  });
  await arrive();
}
