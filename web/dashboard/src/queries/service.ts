import { queryOptions } from "@tanstack/preact-query";
import { type Wire, get } from "~/api/client";

export type Monitoring = Wire<"Monitoring">;
export type Sender = Wire<"Sender">;

/** What the whole service is doing; the live stream renews it every two seconds. */
export const monitoring = () =>
  queryOptions({ queryKey: ["monitoring"], queryFn: ({ signal }) => get("/api/monitoring", { signal }) });

/** The numbers messages go out from. */
export const senders = () =>
  queryOptions({ queryKey: ["senders"], queryFn: ({ signal }) => get("/api/senders", { signal }) });

/** One number, with its month. */
export const sender = (id: string) =>
  queryOptions({
    queryKey: ["sender", id],
    queryFn: ({ signal }) => get("/api/senders/{sender_id}", { path: { sender_id: id }, signal }),
  });

/** Every setting in force, its source and its bounds. */
export const config = () =>
  queryOptions({ queryKey: ["config"], queryFn: ({ signal }) => get("/api/config", { signal }) });

/** How well the cache does. */
export const cache = () =>
  queryOptions({ queryKey: ["cache"], queryFn: ({ signal }) => get("/api/cache/stats", { signal }), staleTime: 10_000 });

/** The exact counters over all campaigns. */
export const totals = () =>
  queryOptions({ queryKey: ["totals"], queryFn: ({ signal }) => get("/api/messages/stats", { signal }) });
