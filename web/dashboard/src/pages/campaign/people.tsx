import { useInfiniteQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { shortMoment } from "~/format";
import { Badge, BoneRows, Card, type Tone } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { type RecipientLine, recipients } from "~/queries/campaigns";
import { ask, place } from "~/router";
import { useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Story } from "./story";
import { campaign } from "./texts";

export const STATES = [
  "queued", "unconfirmed", "awaiting_reply", "replied", "followed_up", "late_reply", "no_interaction", "failed", "opted_out", "cancelled",
] as const;

const TONES: Record<string, Tone> = {
  unconfirmed: "warn",
  awaiting_reply: "busy",
  replied: "good",
  followed_up: "good",
  late_reply: "good",
  failed: "bad",
};

/** Where a person is in a campaign. */
export function State({ state }: { state: string }) {
  const t = useTexts(campaign);
  return <Badge tone={TONES[state] ?? "neutral"}>{t.states[state] ?? state}</Badge>;
}

/** The people of a campaign by state; each opens its whole story. */
export function People({ id, name }: { id: string; name: string }) {
  const t = useTexts(campaign);
  const words = useTexts(common);
  const asked = useStore(place)?.query.get("state") ?? null;
  const state = STATES.find((one) => one === asked) ?? null;
  const [open, setOpen] = useState<string | null>(null);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(recipients(id, state));
  const lines = data?.pages.flatMap((page) => page.items);
  return (
    <Card title={t.people} id="people" flush>
      <div class="chips people-chips" role="group" aria-label={t.state}>
        <button class="chip" aria-pressed={state === null} onClick={() => ask({ state: null })}>
          {t.everybody}
        </button>
        {STATES.map((one) => (
          <button key={one} class="chip" aria-pressed={one === state} onClick={() => ask({ state: one })}>
            {t.states[one]}
          </button>
        ))}
      </div>
      {error && !lines && <Trouble error={error} again={() => void refetch()} />}
      {!lines && !error && <BoneRows />}
      {lines?.length === 0 && <p class="fine muted padded">{t.nobody}</p>}
      {lines && lines.length > 0 && <Table lines={lines} onOpen={setOpen} />}
      {hasNextPage && (
        <p class="padded">
          <button class="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? words.act.loading : words.act.more}
          </button>
        </p>
      )}
      {open && <Story id={open} campaign={id} name={name} onClose={() => setOpen(null)} />}
    </Card>
  );
}

function Table({ lines, onOpen }: { lines: RecipientLine[]; onOpen: (id: string) => void }) {
  const t = useTexts(campaign);
  return (
    <div class="table-wrap">
      <table class="table people">
        <thead>
          <tr>
            <th scope="col">{t.person}</th>
            <th scope="col" class="wide">{t.phone}</th>
            <th scope="col">{t.state}</th>
            <th scope="col" class="wide">{t.why}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>
                <button class="button-link person" onClick={() => onOpen(line.id)}>
                  {line.name ?? line.phone ?? t.erased}
                </button>
              </td>
              <td class="wide tabular muted">{line.phone ?? "–"}</td>
              <td>
                <State state={line.state} />
              </td>
              <td class="wide fine muted">
                {line.reason}
                {line.replied_at && ` (${shortMoment(line.replied_at)})`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
