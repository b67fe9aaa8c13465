import { useInfiniteQuery } from "@tanstack/preact-query";
import { number, shortMoment } from "~/format";
import { Done, Status, isRunning } from "~/parts/campaign";
import { BoneRows, Card, Empty, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { type CampaignLine, campaigns as every } from "~/queries/campaigns";
import { ask, place } from "~/router";
import { useMay } from "~/session";
import { useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { campaigns } from "./texts";
import "./page.css";

const KINDS = {
  all: () => true,
  running: (line: CampaignLine) => isRunning(line.status),
  drafts: (line: CampaignLine) => line.status === "draft" || line.status === "scheduled",
  ended: (line: CampaignLine) => line.status === "completed" || line.status === "cancelled",
};
type Kind = keyof typeof KINDS;

/** Every campaign, newest first, with its main figures. */
export default function Campaigns() {
  const t = useTexts(campaigns);
  const words = useTexts(common);
  const mayAct = useMay("operator");
  const asked = useStore(place)?.query.get("show") ?? "all";
  const kind: Kind = asked in KINDS ? (asked as Kind) : "all";
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(every());
  const lines = data?.pages.flatMap((page) => page.items);
  const shown = lines?.filter(KINDS[kind]);
  return (
    <>
      <PageHead title={t.title}>
        {mayAct && (
          <a class="button button-main" href="/campaigns/new">
            <Icon name="plus" />
            {t.create}
          </a>
        )}
      </PageHead>
      <div class="chips" role="group" aria-label={t.filter}>
        {(Object.keys(KINDS) as Kind[]).map((one) => (
          <button key={one} class="chip" aria-pressed={one === kind} onClick={() => ask({ show: one === "all" ? null : one })}>
            {t.filters[one]}
          </button>
        ))}
      </div>
      {error && !lines && <Trouble error={error} again={() => void refetch()} />}
      <Card flush>
        {!lines && !error && <BoneRows />}
        {lines?.length === 0 && (
          <Empty icon="campaigns" title={t.none}>
            <p>{t.noneText}</p>
            {mayAct && (
              <a class="button button-main" href="/campaigns/new">
                {t.create}
              </a>
            )}
          </Empty>
        )}
        {lines && lines.length > 0 && shown?.length === 0 && (
          <Empty title={t.noneHere}>
            <p>{t.noneHereText}</p>
          </Empty>
        )}
        {shown && shown.length > 0 && <Table lines={shown} />}
      </Card>
      {hasNextPage && (
        <button class="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? words.act.loading : words.act.more}
        </button>
      )}
    </>
  );
}

function Table({ lines }: { lines: CampaignLine[] }) {
  const t = useTexts(campaigns);
  return (
    <div class="table-wrap">
      <table class="table campaigns">
        <thead>
          <tr>
            <th scope="col">{t.name}</th>
            <th scope="col">{t.status}</th>
            <th scope="col" class="wide" />
            <th scope="col" class="number">{t.people}</th>
            <th scope="col" class="number">{t.sent}</th>
            <th scope="col" class="number">{t.replies}</th>
            <th scope="col" class="number wide">{t.messageTwo}</th>
            <th scope="col" class="number wide">{t.failed}</th>
            <th scope="col">{t.when}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Row key={line.id} line={line} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ line }: { line: CampaignLine }) {
  const t = useTexts(campaigns);
  const isDraft = line.status === "draft";
  return (
    <tr>
      <td>
        <a class="cell" href={isDraft ? `/campaigns/${line.id}/edit` : `/campaigns/${line.id}`}>
          {line.name}
        </a>
      </td>
      <td>
        <Status status={line.status} />
      </td>
      <td class="wide bar">{line.total > 0 && <Done label={t.progress(line.name)} of={line} />}</td>
      <Cell of={line} value={line.total} />
      <Cell of={line} value={line.sent} />
      <Cell of={line} value={line.interactions} />
      <Cell of={line} value={line.message_2_sent} wide />
      <Cell of={line} value={line.failed_count} wide />
      <td class="muted fine">{when(line, t)}</td>
    </tr>
  );
}

function Cell({ of, value, wide }: { of: CampaignLine; value: number; wide?: boolean }) {
  return <td class={wide ? "number wide" : "number"}>{of.launched_at ? number(value) : "–"}</td>;
}

function when(line: CampaignLine, t: ReturnType<typeof campaigns.in>): string {
  if (line.completed_at) return t.completed(shortMoment(line.completed_at));
  if (line.status === "scheduled" && line.scheduled_at) return t.scheduled(shortMoment(line.scheduled_at));
  if (line.launched_at) return t.launched(shortMoment(line.launched_at));
  return t.created(shortMoment(line.created_at));
}
