import type { CampaignLine } from "~/queries/campaigns";
import type { ReplyFilter } from "~/queries/replies";
import { ask, place } from "~/router";
import { useStore } from "~/store";
import { useTexts } from "~/texts/language";
import { SHOWS, TYPES, showOf } from "./filter";
import { replies } from "./texts";

/** Which replies are shown. */
export function Toolbar({ filter, campaigns, unread }: { filter: ReplyFilter; campaigns: CampaignLine[]; unread: string }) {
  const t = useTexts(replies);
  const shown = showOf(useStore(place)?.query ?? new URLSearchParams());
  return (
    <div class="replies-bar">
      <select class="select" aria-label={t.campaign} value={filter.campaign ?? ""} onChange={(event) => ask({ campaign: event.currentTarget.value || null })}>
        <option value="">{t.everyCampaign}</option>
        {campaigns
          .filter((one) => one.launched_at !== null)
          .map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
      </select>
      <select class="select" aria-label={t.type} value={filter.type ?? ""} onChange={(event) => ask({ type: event.currentTarget.value || null })}>
        <option value="">{t.everyType}</option>
        {TYPES.map((one) => (
          <option key={one} value={one}>
            {t.types[one]}
          </option>
        ))}
      </select>
      <div class="chips" role="group" aria-label={t.show}>
        {SHOWS.map((one) => (
          <button key={one} class="chip" aria-pressed={shown === one} onClick={() => ask({ show: one === "all" ? null : one })}>
            {t.shows[one]}
          </button>
        ))}
      </div>
      <span class="muted fine replies-unread" role="status">
        {unread}
      </span>
    </div>
  );
}
