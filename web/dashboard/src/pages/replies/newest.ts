import { useQueryClient } from "@tanstack/preact-query";
import { useEffect } from "preact/hooks";
import type { Progress } from "~/queries/campaigns";
import { type ReplyFilter, fetchNewest } from "~/queries/replies";

/** At most one look for new replies in so long. */
const EVERY_MS = 1000;
/** Somebody may write who belongs to no campaign: no figure moves for them. */
const ALSO_EVERY_MS = 20_000;

/** Bring new replies here while the page is open: whenever a campaign's figures say that somebody answered. */
export function useNewest(filter: ReplyFilter): void {
  const client = useQueryClient();
  useEffect(() => {
    const heard = new Map<string, number>();
    let waiting = 0;
    const look = (): void => {
      waiting ||= window.setTimeout(() => {
        waiting = 0;
        fetchNewest(client, filter).catch(() => undefined); // the next one tells, and the mark in the corner
      }, EVERY_MS);
    };
    const stop = client.getQueryCache().subscribe(({ type, query }) => {
      if (type !== "updated" || (query.queryKey as unknown[])[0] !== "progress") return;
      const figures = query.state.data as Progress | undefined;
      if (!figures) return;
      const answers = figures.interactions + figures.late_replies + figures.opted_out;
      if (heard.get(figures.campaign_id) === answers) return;
      heard.set(figures.campaign_id, answers);
      look();
    });
    const clock = setInterval(look, ALSO_EVERY_MS);
    return () => {
      stop();
      clearInterval(clock);
      clearTimeout(waiting);
    };
  }, [client, filter]);
}
