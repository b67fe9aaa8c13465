import { useInfiniteQuery, useQuery } from "@tanstack/preact-query";
import { BoneRows, Card, Empty } from "~/parts/frame";
import { Done, Status, isRunning } from "~/parts/campaign";
import { number, shortMoment } from "~/format";
import { type CampaignLine, campaigns, progress } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { overview } from "./texts";

/** Every campaign that moves, with its live figures. */
export function Running() {
  const t = useTexts(overview);
  const { data } = useInfiniteQuery(campaigns());
  const running = data?.pages.flatMap((page) => page.items).filter((line) => isRunning(line.status));
  return (
    <Card title={t.running} flush>
      {!running && <BoneRows many={2} />}
      {running?.length === 0 && (
        <Empty icon="campaigns" title={t.noneRunning}>
          <p>{t.noneRunningText}</p>
        </Empty>
      )}
      {running && running.length > 0 && (
        <ul class="running">
          {running.map((line) => (
            <Line key={line.id} line={line} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Line({ line }: { line: CampaignLine }) {
  const t = useTexts(overview);
  const { data: live } = useQuery(progress(line.id));
  const figures = live ?? line;
  return (
    <li>
      <a class="row row-apart" href={`/campaigns/${line.id}`}>
        <b>{line.name}</b>
        <Status status={figures.status} />
      </a>
      <Done label={t.progress(line.name)} of={figures} />
      <p class="row row-apart fine muted tabular">
        <span>{t.sentOf(number(figures.sent), number(figures.total))}</span>
        <span>{t.repliesMany(number(figures.interactions))}</span>
        <span>{live?.completes_at ? t.ends(shortMoment(live.completes_at)) : ""}</span>
      </p>
      {figures.status === "paused" && figures.reason && <p class="fine">{figures.reason}</p>}
    </li>
  );
}
