import { useQuery } from "@tanstack/preact-query";
import { Alerts } from "~/parts/alerts";
import { Card, Figure, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { useNow } from "~/parts/now";
import { Trouble } from "~/parts/problem";
import { ago, number, percent, share } from "~/format";
import { monitoring, totals, type Monitoring } from "~/queries/service";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { Quota } from "./quota";
import { Running } from "./running";
import { overview } from "./texts";
import "./page.css";

/** What is going on, and whether anything needs a person. */
export default function Overview() {
  const t = useTexts(overview);
  const mayAct = useMay("operator");
  const { data, error, refetch } = useQuery(monitoring());
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
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      <div class="overview">
        <div class="stack">
          <Today seen={data} />
          <Running />
          <Totals />
        </div>
        <div class="stack">
          <Quota senders={data?.senders} />
          <Alerts title={t.alerts} alerts={data?.alerts} quiet={t.noAlerts} />
          <Service seen={data} />
        </div>
      </div>
    </>
  );
}

function Today({ seen }: { seen: Monitoring | undefined }) {
  const t = useTexts(overview);
  const sum = (name: "used" | "reserved" | "remaining"): string =>
    seen ? number(seen.senders.reduce((many, one) => many + one.quota_today[name], 0)) : "–";
  return (
    <Card title={t.today}>
      <dl class="figures">
        <Figure label={t.outToday} value={sum("used")} />
        <Figure label={t.plannedToday} value={sum("reserved")} />
        <Figure label={t.leftToday} value={sum("remaining")} />
        <Figure label={t.runningNow} value={seen ? number(Object.values(seen.campaigns).reduce((many, one) => many + one, 0)) : "–"} />
      </dl>
    </Card>
  );
}

function Totals() {
  const t = useTexts(overview);
  const { data } = useQuery(totals());
  const shown = (value: number | undefined): string => (value === undefined ? "–" : number(value));
  const of = (value: number | undefined): string | null => {
    const part = data && value !== undefined ? share(value, data.sent) : null;
    return part === null ? null : t.ofSent(percent(part));
  };
  return (
    <Card title={t.all}>
      <dl class="figures">
        <Figure label={t.people} value={shown(data?.total)} />
        <Figure label={t.delivered} value={shown(data?.delivered)} note={of(data?.delivered)} />
        <Figure label={t.read} value={shown(data?.read)} note={of(data?.read)} />
        <Figure label={t.replies} value={shown(data?.interactions)} note={of(data?.interactions)} />
        <Figure label={t.messageTwo} value={shown(data?.message_2_sent)} note={of(data?.message_2_sent)} />
        <Figure label={t.failed} value={shown(data?.send_failed)} />
      </dl>
    </Card>
  );
}

function Service({ seen }: { seen: Monitoring | undefined }) {
  const t = useTexts(overview);
  const now = useNow();
  const alive = seen?.processes.filter((one) => one.alive).length ?? 0;
  const dead = (seen?.processes.length ?? 0) - alive;
  const heard = seen?.webhooks.last_received_at;
  return (
    <Card title={t.service} acts={<a href="/monitoring">{t.details}</a>}>
      {seen ? (
        <ul class="service fine">
          <li>{t.processes(number(alive))}</li>
          {dead > 0 && <li class="bad">{t.processesDown(number(dead))}</li>}
          <li>{heard ? t.lastWebhook(ago(heard, now)) : t.noWebhook}</li>
        </ul>
      ) : (
        <p class="muted fine">–</p>
      )}
    </Card>
  );
}
