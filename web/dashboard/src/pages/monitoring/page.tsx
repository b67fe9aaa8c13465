import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { post } from "~/api/client";
import { ago, decimal, exactTime, number, percent } from "~/format";
import { Alerts } from "~/parts/alerts";
import { confirm } from "~/parts/dialog";
import { Badge, BoneRows, Card, Figure, PageHead } from "~/parts/frame";
import { notify, notifyRefusal } from "~/parts/notice";
import { useNow } from "~/parts/now";
import { Trouble } from "~/parts/problem";
import { type Monitoring, cache, monitoring as now } from "~/queries/service";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Senders } from "./senders";
import { monitoring } from "./texts";
import "./page.css";

/** What the whole service is doing, and the brake for all of it. */
export default function Watch() {
  const t = useTexts(monitoring);
  const { data, error, refetch } = useQuery(now());
  const mayAct = useMay("operator");
  return (
    <>
      <PageHead title={t.title} lead={data ? `${t.lead} (${t.asOf(exactTime(data.at))})` : t.lead}>
        {mayAct && <Brake />}
      </PageHead>
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      <Senders seen={data?.senders} />
      <div class="grid-4">
        <Hooks seen={data} />
        <Gateway seen={data} />
        <Queues seen={data} />
        <Cache />
      </div>
      <div class="watch-split">
        <Processes seen={data?.processes} />
        <div class="stack">
          <Alerts title={t.alerts} alerts={data?.alerts} quiet={t.noAlerts} />
          {mayAct && <TestAlert />}
        </div>
      </div>
    </>
  );
}

function Brake() {
  const t = useTexts(monitoring);
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => post("/api/pause-all"),
    onSuccess: ({ paused }) => {
      notify("done", t.stoppedAll(number(paused.length)));
      void client.invalidateQueries({ queryKey: ["monitoring"] });
      void client.invalidateQueries({ queryKey: ["senders"] });
    },
    onError: notifyRefusal,
  });
  async function ask(): Promise<void> {
    const sure = await confirm({ title: t.stopAllTitle, consequence: <p>{t.stopAllConsequence}</p>, action: t.stopAll, danger: true });
    if (sure) stop.mutate();
  }
  return (
    <button class="button" disabled={stop.isPending} onClick={() => void ask()}>
      {t.stopAll}
    </button>
  );
}

function TestAlert() {
  const t = useTexts(monitoring);
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: () => post("/api/alerts/test"),
    onSuccess: () => {
      notify("done", t.tested);
      void client.invalidateQueries({ queryKey: ["monitoring"] });
    },
    onError: notifyRefusal,
  });
  return (
    <button class="button" disabled={test.isPending} onClick={() => test.mutate()}>
      {t.testAlert}
    </button>
  );
}

const orDash = (value: number | undefined): string => (value === undefined ? "–" : number(value));

function Hooks({ seen }: { seen: Monitoring | undefined }) {
  const t = useTexts(monitoring);
  const at = useNow(5);
  const told = (when: string | null | undefined): string => (seen ? (when ? ago(when, at) : t.never) : "–");
  const waiting = seen && seen.webhooks.people_waiting + seen.webhooks.others_waiting;
  return (
    <Card title={t.hooks}>
      <dl class="figures facts">
        <Figure label={t.lastHook} value={told(seen?.webhooks.last_received_at)} />
        <Figure label={t.lastReply} value={told(seen?.webhooks.last_interaction_at)} />
        <Figure label={t.waiting} value={orDash(waiting)} />
      </dl>
    </Card>
  );
}

function Gateway({ seen }: { seen: Monitoring | undefined }) {
  const t = useTexts(monitoring);
  const at = useNow(5);
  const doubtful = seen?.gateway.unconfirmed ?? 0;
  const accepted = seen?.gateway.last_accepted_at;
  return (
    <Card title={t.gateway}>
      <dl class="figures facts">
        <Figure label={t.lastAccepted} value={seen ? (accepted ? ago(accepted, at) : t.never) : "–"} />
        <Figure label={t.onTheWay} value={orDash(seen?.gateway.sending)} />
        <Figure
          label={t.unconfirmed}
          value={orDash(seen?.gateway.unconfirmed)}
          {...(doubtful > 0 ? { tone: "warn" as const, note: t.unconfirmedNote } : {})}
        />
      </dl>
    </Card>
  );
}

function Queues({ seen }: { seen: Monitoring | undefined }) {
  const t = useTexts(monitoring);
  return (
    <Card title={t.queues}>
      {seen && seen.queues === null && <p class="fine">{t.noRedis}</p>}
      <dl class="figures facts">
        {Object.entries(seen?.queues ?? {}).map(([name, waiting]) => (
          <Figure key={name} label={t.queueNames[name] ?? name} value={number(waiting)} />
        ))}
      </dl>
    </Card>
  );
}

function Cache() {
  const t = useTexts(monitoring);
  const { data } = useQuery({ ...cache(), refetchInterval: 10_000 });
  return (
    <Card title={t.cache}>
      {data && !data.available && <p class="fine">{t.cacheAway}</p>}
      <dl class="figures facts">
        <Figure label={t.hitRate} value={percent(data?.hit_rate ?? null)} note={data?.latency_ms ? `${decimal(data.latency_ms, 2)} ms` : null} />
        <Figure label={t.hits} value={orDash(data?.hits)} />
        <Figure label={t.cacheKeys} value={orDash(data?.keys)} />
      </dl>
    </Card>
  );
}

function Processes({ seen }: { seen: Monitoring["processes"] | undefined }) {
  const t = useTexts(monitoring);
  const words = useTexts(common);
  const at = useNow(5);
  return (
    <Card title={t.processes} flush>
      {!seen && <BoneRows many={3} />}
      {seen?.length === 0 && <p class="fine muted padded">{t.noProcesses}</p>}
      {seen && seen.length > 0 && (
        <div class="table-wrap" role="region" aria-label={t.processes} tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t.kind}</th>
                <th scope="col">
                  <span class="unseen">{words.state}</span>
                </th>
                <th scope="col">{t.beat}</th>
                <th scope="col">{t.since}</th>
                <th scope="col">{t.host}</th>
              </tr>
            </thead>
            <tbody>
              {seen.map((one) => (
                <tr key={one.id}>
                  <td>{one.kind}</td>
                  <td>
                    <Badge tone={one.alive ? "good" : "bad"}>{one.alive ? t.alive : t.dead}</Badge>
                  </td>
                  <td class="tabular">{ago(one.beat_at, at)}</td>
                  <td class="tabular">{ago(one.started_at, at)}</td>
                  <td class="muted tabular">
                    {one.host} · {one.pid}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
