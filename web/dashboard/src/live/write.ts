import type { InfiniteData, QueryClient } from "@tanstack/preact-query";
import type { Wire } from "~/api/client";
import { type Campaign, type CampaignLine, type Progress, keys } from "~/queries/campaigns";

/** One event of the stream. */
export interface LiveEvent {
  kind: string;
  data: unknown;
}

type Lines = InfiniteData<{ items: CampaignLine[]; next_cursor: string | null }>;
type Import = Wire<"ImportState">;

/** Write events into the cache, where every page shows them from. */
export function write(client: QueryClient, events: LiveEvent[]): void {
  for (const { kind, data } of events) {
    if (kind === "progress") writeProgress(client, data as Progress);
    else if (kind === "campaign") writeCampaign(client, data as Campaign);
    else if (kind === "monitoring") client.setQueryData(["monitoring"], data);
    else if (kind === "import") writeImport(client, data as Import);
  }
}

/** Ask again for what the stream does not tell, once after it was away. */
export function catchUp(client: QueryClient): void {
  for (const key of [keys.campaigns, ["campaign"], ["progress"], ["import"], ["series"], ["recipients"], ["interactions"]]) {
    void client.invalidateQueries({ queryKey: key });
  }
}

function writeProgress(client: QueryClient, figures: Progress): void {
  const known = client.getQueryData<Progress>(keys.progress(figures.campaign_id));
  addToTotals(client, known, figures);
  client.setQueryData(keys.progress(figures.campaign_id), figures);
  const { status, reason, total, sent, interactions, message_2_sent, failed_count } = figures;
  changeLine(client, figures.campaign_id, { status, reason, total, sent, interactions, message_2_sent, failed_count });
  if (known && moved(known, figures)) {
    void client.invalidateQueries({ queryKey: ["recipients", figures.campaign_id], refetchType: "none" });
  }
}

function writeCampaign(client: QueryClient, campaign: Campaign): void {
  const known = client.getQueryData<Campaign>(keys.campaign(campaign.id));
  client.setQueryData(keys.campaign(campaign.id), campaign);
  const { name, status, reason, scheduled_at, launched_at, completed_at } = campaign;
  if (!changeLine(client, campaign.id, { name, status, reason, scheduled_at, launched_at, completed_at })) {
    void client.invalidateQueries({ queryKey: keys.campaigns });
  }
  if (known?.status !== campaign.status) void client.invalidateQueries({ queryKey: keys.report(campaign.id) });
}

function writeImport(client: QueryClient, figures: Import): void {
  client.setQueryData(["import", figures.id], figures);
  if (figures.state !== "completed" && figures.state !== "failed") return;
  for (const key of [["contacts"], ["contact-stats"], ["categories"]]) void client.invalidateQueries({ queryKey: key });
}

/** Add what a campaign gained to the figures of all campaigns; what it had before is needed for that. */
function addToTotals(client: QueryClient, before: Progress | undefined, after: Progress): void {
  const totals = client.getQueryData<Wire<"MessageStats">>(["totals"]);
  if (!totals) return;
  if (!before) {
    void client.invalidateQueries({ queryKey: ["totals"] });
    return;
  }
  const sums = { ...totals };
  for (const name of Object.keys(totals) as (keyof typeof totals)[]) sums[name] += after[name] - before[name];
  client.setQueryData(["totals"], sums);
}

/** Whether people changed their state between two snapshots. */
function moved(before: Progress, after: Progress): boolean {
  return (["sent", "unconfirmed", "send_failed", "interactions", "message_2_sent", "no_interaction", "cancelled"] as const).some(
    (name) => before[name] !== after[name],
  );
}

/** Lay new figures over a campaign's line in the list; false where the list is here and lacks it. */
function changeLine(client: QueryClient, id: string, figures: Partial<CampaignLine>): boolean {
  const lines = client.getQueryData<Lines>(keys.campaigns);
  if (!lines) return true;
  const at = lines.pages.findIndex((page) => page.items.some((line) => line.id === id));
  if (at < 0) return false;
  const pages = lines.pages.map((page, index) =>
    index === at ? { ...page, items: page.items.map((line) => (line.id === id ? { ...line, ...figures } : line)) } : page,
  );
  client.setQueryData<Lines>(keys.campaigns, { ...lines, pages });
  return true;
}
