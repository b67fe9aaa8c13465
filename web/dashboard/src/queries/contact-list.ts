import { type QueryClient, hashKey, infiniteQueryOptions, queryOptions } from "@tanstack/preact-query";
import { address, get } from "~/api/client";
import { LISTS } from "./client";
import { categories, contactStats } from "./contacts";
import { PAGE, Roll } from "./roll";

/** Which contacts are listed. */
export interface Filter {
  q: string;
  category: string | null;
  optedOut: boolean | null;
}

export const listKey = (filter: Filter) => ["contacts", filter] as const;

/** Where somebody looks in a list: it is read again there first. */
const looking = new Map<string, { from: number; to: number }>();

/** Remember which rows are on the screen. */
export const look = (filter: Filter, from: number, to: number): void => {
  looking.set(hashKey(listKey(filter)), { from, to });
};

/** Every contact that fits, newest first: its length at once, its rows where they are looked at. */
export const contactList = (filter: Filter) =>
  queryOptions({
    queryKey: listKey(filter),
    queryFn: async ({ client, signal }) => {
      const [first, total] = await Promise.all([part(filter, null, 0, PAGE, signal), totalOf(client, filter)]);
      const roll = Roll.of(first, total);
      const seen = looking.get(hashKey(listKey(filter)));
      const gap = seen && roll.gap(seen.from, seen.to);
      if (!gap) return roll;
      const { cursor, skip } = roll.anchor(gap.at);
      return roll.filled(gap.at, await part(filter, cursor, skip, gap.many, signal));
    },
    staleTime: LISTS,
    structuralSharing: false,
  });

/** Fetch some rows of a list, behind a known one. */
export async function part(filter: Filter, cursor: string | null, skip: number, limit: number, signal?: AbortSignal) {
  const asked = { q: filter.q, category_id: filter.category, opted_out: filter.optedOut, cursor, skip, limit };
  const page = await get("/api/contacts", { query: asked, ...(signal ? { signal } : {}) });
  return { items: page.items, more: page.next_cursor !== null };
}

/** How many contacts fit, where something has counted them. */
async function totalOf(client: QueryClient, { q, category, optedOut }: Filter): Promise<number | null> {
  if (q) return null;
  if (category) {
    if (optedOut !== null) return null;
    const known = await client.query(categories());
    return known.items.find((one) => one.id === category)?.contact_count ?? null;
  }
  const stats = await client.query(contactStats());
  return optedOut === null ? stats.total : optedOut ? stats.opted_out : stats.reachable;
}

/** One contact, whole. */
export const contact = (id: string) =>
  queryOptions({
    queryKey: ["contact", id],
    queryFn: ({ signal }) => get("/api/contacts/{contact_id}", { path: { contact_id: id }, signal }),
    staleTime: LISTS,
  });

/** Where the same contacts come as a file. */
export const exportAddress = ({ category, optedOut }: Filter): string =>
  address("/api/contacts/export", {}, { category_id: category, opted_out: optedOut });

/** Files that were imported, newest first. */
export const imports = () =>
  infiniteQueryOptions({
    queryKey: ["imports"],
    queryFn: ({ pageParam, signal }) => get("/api/imports", { query: { limit: 20, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: LISTS,
  });

/** How far an import is; the live stream renews it. */
export const importState = (id: string) =>
  queryOptions({
    queryKey: ["import", id],
    queryFn: ({ signal }) => get("/api/imports/{import_id}", { path: { import_id: id }, signal }),
    refetchInterval: ({ state }) => (state.data && isOver(state.data.state) ? false : 2000),
  });

/** Whether an import has ended. */
export const isOver = (state: string): boolean => state === "completed" || state === "failed";
