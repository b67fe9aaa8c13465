import type { ComponentChildren } from "preact";
import { useQuery } from "@tanstack/preact-query";
import { ago, duration, milliseconds, number, shortMoment } from "~/format";
import { Card, Meter } from "~/parts/frame";
import { useNow } from "~/parts/now";
import { type Progress, batches } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { campaign } from "./texts";

/** The delay in force and whose word it is, the batch, and how long things take. */
export function Pace({ progress }: { progress: Progress }) {
  const t = useTexts(campaign);
  const now = useNow();
  const { batch } = progress;
  return (
    <Card title={t.pace}>
      <dl class="pace fine">
        <Line label={t.delay}>
          {progress.delay_seconds === null ? (
            t.delayNone
          ) : (
            <>
              <b class="tabular">{duration(progress.delay_seconds)}</b> {t.sources[progress.delay_source ?? ""] ?? progress.delay_source}
              {progress.delay_since && `, ${t.since(shortMoment(progress.delay_since))}`}
              <span class="muted block">{progress.delay_reason}</span>
            </>
          )}
        </Line>
        {batch && (
          <Line label={t.batch}>
            <span class="tabular">{t.batchOf(number(batch.number), number(batch.done), number(batch.size))}</span>
            <Meter label={t.batch} most={batch.size} parts={[{ value: batch.done, tone: "accent" }]} />
          </Line>
        )}
        {progress.last_message_at && <Line label={t.lastMessage}>{ago(progress.last_message_at, now)}</Line>}
        {(["accept", "delivery", "read", "reply"] as const).map((name) => {
          const spread = progress.latency_ms[name];
          return spread ? (
            <Line key={name} label={t.latencies[name]}>
              <span class="tabular">{t.median(milliseconds(spread.p50), milliseconds(spread.p95))}</span>
            </Line>
          ) : null;
        })}
      </dl>
      <Batches id={progress.campaign_id} current={batch?.number ?? 0} />
    </Card>
  );
}

function Line({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt class="muted">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The batches whose delay differs from the one before. */
function Batches({ id, current }: { id: string; current: number }) {
  const t = useTexts(campaign);
  const { data } = useQuery(batches(id, current));
  const lines = data?.items ?? [];
  const changes = lines.filter((line, index) => line.delay_seconds !== lines[index + 1]?.delay_seconds).slice(0, 5);
  if (changes.length < 2) return null;
  return (
    <>
      <h3 class="pace-head">{t.pacing}</h3>
      <ul class="pace-changes fine">
        {changes.map((line) => (
          <li key={line.number}>
            <b class="tabular">{duration(line.delay_seconds)}</b>
            <span class="muted">
              {shortMoment(line.started_at)} · {line.reason}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
