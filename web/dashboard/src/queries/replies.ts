import { type InfiniteData, type QueryClient, infiniteQueryOptions, queryOptions } from "@tanstack/preact-query";
import { type Wire, address, get } from "~/api/client";
import { LISTS } from "./client";

export type Reply = Wire<"InteractionLine">;
type Page = Wire<"PageOfInteractionLine">;

/** Which replies are listed. */
export interface ReplyFilter {
  campaign: string | null;
  type: string | null;
  inWindow: boolean | null;
  outcome: string | null;
}

const asked = (filter: ReplyFilter) => ({
  campaign_id: filter.campaign,
  type: filter.type as never,
  in_window: filter.inWindow,
  outcome: filter.outcome as never,
});

/** What people answered, newest first, page by page. */
export const replies = (filter: ReplyFilter) =>
  infiniteQueryOptions({
    queryKey: ["interactions", filter],
    queryFn: ({ pageParam, signal }) => get("/api/interactions", { query: { ...asked(filter), limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: LISTS,
  });

/** What one person answered last. */
export const repliesOf = (contact: string) =>
  queryOptions({
    queryKey: ["interactions", "of", contact],
    queryFn: ({ signal }) => get("/api/interactions", { query: { contact_id: contact, limit: 20 }, signal }),
    staleTime: 0,
  });

/** Fetch what came since, and lay it on top of what is shown. More than a page of it begins the list anew. */
export async function fetchNewest(client: QueryClient, filter: ReplyFilter): Promise<void> {
  const key = replies(filter).queryKey;
  const first = await get("/api/interactions", { query: { ...asked(filter), limit: 50 } });
  client.setQueryData<InfiniteData<Page, string | null>>(key, (known) => {
    if (!known) return known;
    const held = new Set(known.pages.flatMap((page) => page.items.map((one) => one.id)));
    const fresh = first.items.filter((one) => !held.has(one.id));
    if (fresh.length === 0) return known;
    if (fresh.length === first.items.length && first.next_cursor) return { pages: [first], pageParams: [null] };
    const [top, ...rest] = known.pages;
    if (!top) return known;
    return { ...known, pages: [{ ...top, items: [...fresh, ...top.items] }, ...rest] };
  });
}

/** Where the same replies come as a file. */
export const repliesFile = (filter: ReplyFilter): string => address("/api/interactions", {}, { ...asked(filter), format: "csv" });
