import { useQuery } from "@tanstack/preact-query";
import { number } from "~/format";
import { Card } from "~/parts/frame";
import { Chart } from "~/parts/chart";
import { series } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { added, fromNothing } from "./minutes";
import { campaign } from "./texts";

/** Messages and replies, minute by minute. */
export function Charts({ id, running }: { id: string; running: boolean }) {
  const t = useTexts(campaign);
  const { data } = useQuery({ ...series(id), refetchInterval: running ? 15_000 : false });
  const minutes = fromNothing(data ?? []);
  const at = minutes.map((minute) => new Date(minute.minute).getTime() / 1000);
  const sent = added(minutes, "sent");
  const replies = added(minutes, "interactions");
  return (
    <Card title={t.charts}>
      {data && minutes.length === 0 && <p class="fine muted">{t.chartEmpty}</p>}
      {minutes.length > 0 && (
        <div class="stack">
          <Chart
            label={t.chartLabel(`${t.chartSent}, ${t.chartReplies}`, number(Math.max(...sent, ...replies)))}
            at={at}
            curves={[
              { label: t.chartSent, colour: "--accent", values: sent, bars: true },
              { label: t.chartReplies, colour: "--busy", values: replies },
            ]}
          />
          <Chart
            label={t.chartLabel(t.chartTotals, number(Math.max(...minutes.map((minute) => minute.sent))))}
            at={at}
            height={150}
            curves={[
              { label: t.figures.sent, colour: "--accent", values: minutes.map((minute) => minute.sent) },
              { label: t.figures.read, colour: "--warn", values: minutes.map((minute) => minute.read) },
              { label: t.figures.interactions, colour: "--busy", values: minutes.map((minute) => minute.interactions) },
            ]}
          />
        </div>
      )}
    </Card>
  );
}
