import { useQuery } from "@tanstack/preact-query";
import { duration, milliseconds, number, percent } from "~/format";
import { Bone, Card, Figure } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { type Report, report } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { campaign } from "./texts";

const RATES = ["sent", "delivered", "read", "replied", "no_interaction", "opted_out", "failed"] as const;

/** What the campaign came to. */
export function Summary({ id }: { id: string }) {
  const t = useTexts(campaign);
  const { data, error, refetch } = useQuery(report(id));
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <Bone kind="card" />;
  return (
    <Card title={data.completed_at ? t.report : t.reportSoFar} id="report">
      <div class="stack">
        <dl class="figures">
          {RATES.map((name) => (
            <Figure key={name} label={t.rates[name]} value={percent(data.rates[name])} />
          ))}
          {data.message_2 && <Figure label={t.conversion} value={percent(data.message_2.conversion)} />}
          {data.message_2?.after_reply_ms && <Figure label={t.afterReply} value={milliseconds(data.message_2.after_reply_ms.p50)} />}
          {data.durations.sending !== null && <Figure label={t.sendingTook} value={duration(data.durations.sending)} />}
          {data.durations.total !== null && <Figure label={t.tookInAll} value={duration(data.durations.total)} />}
          {data.durations.paused > 0 && <Figure label={t.pausedFor} value={duration(data.durations.paused)} />}
        </dl>
        <Failures of={data} />
      </div>
    </Card>
  );
}

function Failures({ of }: { of: Report }) {
  const t = useTexts(campaign);
  return (
    <div>
      <h3>{t.failures}</h3>
      {of.failures.length === 0 && <p class="fine muted">{t.noFailures}</p>}
      <ul class="failures fine">
        {of.failures.map((one) => (
          <li key={`${one.step} ${one.reason}`}>
            <b class="tabular">{number(one.messages)}</b> {t.types[`message_${one.step}`]}: <span class="muted">{one.reason}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
