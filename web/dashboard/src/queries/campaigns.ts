import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/preact-query";
import { type Wire, get } from "~/api/client";

export type Campaign = Wire<"Campaign">;
export type CampaignLine = Wire<"CampaignLine">;
export type Progress = Wire<"Progress">;
export type Minute = Wire<"Minute">;
export type Report = Wire<"Report">;
export type Recipient = Wire<"Recipient">;
export type RecipientLine = Wire<"RecipientLine">;

/** Where each thing lies in the cache; the live stream writes to the same places. */
export const keys = {
  campaigns: ["campaigns"] as const,
  campaign: (id: string) => ["campaign", id] as const,
  progress: (id: string) => ["progress", id] as const,
  series: (id: string) => ["series", id] as const,
  batches: (id: string, newest: number) => ["batches", id, newest] as const,
  report: (id: string) => ["report", id] as const,
  recipients: (id: string, state: string | null) => ["recipients", id, state ?? "all"] as const,
  recipient: (id: string) => ["recipient", id] as const,
};

/** Every campaign, newest first, page by page. */
export const campaigns = () =>
  infiniteQueryOptions({
    queryKey: keys.campaigns,
    queryFn: ({ pageParam, signal }) => get("/api/campaigns", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

/** One campaign, whole. */
export const campaign = (id: string) =>
  queryOptions({
    queryKey: keys.campaign(id),
    queryFn: ({ signal }) => get("/api/campaigns/{campaign_id}", { path: { campaign_id: id }, signal }),
  });

/** Its figures; the live stream keeps them true. */
export const progress = (id: string) =>
  queryOptions({
    queryKey: keys.progress(id),
    queryFn: ({ signal }) => get("/api/campaigns/{campaign_id}/progress", { path: { campaign_id: id }, signal }),
  });

/** Its counters minute by minute. */
export const series = (id: string) =>
  queryOptions({
    queryKey: keys.series(id),
    queryFn: ({ signal }) => get("/api/campaigns/{campaign_id}/series", { path: { campaign_id: id }, signal }),
  });

/** The newest batches up to one, each with its pace and why. */
export const batches = (id: string, newest: number) =>
  queryOptions({
    queryKey: keys.batches(id, newest),
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      get("/api/campaigns/{campaign_id}/batches", { path: { campaign_id: id }, query: { limit: 20 }, signal }),
  });

/** Its people, all or those in one state. */
export const recipients = (id: string, state: string | null) =>
  infiniteQueryOptions({
    queryKey: keys.recipients(id, state),
    queryFn: ({ pageParam, signal }) =>
      get("/api/campaigns/{campaign_id}/recipients", {
        path: { campaign_id: id },
        query: { limit: 25, cursor: pageParam, ...(state ? { state: state as never } : {}) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

/** One person's whole story in a campaign. */
export const recipient = (id: string) =>
  queryOptions({
    queryKey: keys.recipient(id),
    queryFn: ({ signal }) => get("/api/recipients/{recipient_id}", { path: { recipient_id: id }, signal }),
    staleTime: 0,
  });

/** What it came to: as of its completion, else so far. */
export const report = (id: string) =>
  queryOptions({
    queryKey: keys.report(id),
    queryFn: ({ signal }) => get("/api/campaigns/{campaign_id}/report", { path: { campaign_id: id }, signal }),
    staleTime: 0,
  });
