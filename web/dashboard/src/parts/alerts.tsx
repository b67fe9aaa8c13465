import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { type Wire, post } from "~/api/client";
import { ago, number } from "~/format";
import type { Monitoring } from "~/queries/service";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Bone, Card } from "./frame";
import { Icon } from "./icon";
import { notifyRefusal } from "./notice";
import { useNow } from "./now";

type Alert = Wire<"Alert">;

/** What a person should know, newest first; putting one away is shown at once and taken back when it is refused. */
export function Alerts({ title, alerts, quiet }: { title: string; alerts: Alert[] | undefined; quiet: string }) {
  return (
    <Card title={title} id="alerts">
      {!alerts && <Bone />}
      {alerts?.length === 0 && (
        <p class="row fine muted">
          <Icon name="check" size={16} />
          {quiet}
        </p>
      )}
      {alerts && alerts.length > 0 && (
        <ul class="alerts">
          {alerts.map((alert) => (
            <Line key={alert.id} alert={alert} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Line({ alert }: { alert: Alert }) {
  const t = useTexts(common);
  const now = useNow();
  const client = useQueryClient();
  const mayAct = useMay("operator");
  const resolve = useMutation({
    mutationFn: () => post("/api/alerts/{alert_id}/resolve", { path: { alert_id: alert.id } }),
    onMutate: () => {
      const before = client.getQueryData<Monitoring>(["monitoring"]);
      if (before) {
        const alerts = before.alerts.filter((one) => one.id !== alert.id);
        client.setQueryData<Monitoring>(["monitoring"], { ...before, alerts });
      }
      return before;
    },
    onError: (error, _, before) => {
      if (before) client.setQueryData(["monitoring"], before);
      notifyRefusal(error);
    },
  });
  return (
    <li>
      <Icon name="alert" size={16} />
      <div>
        <p>{alert.text}</p>
        <p class="muted">
          {ago(alert.updated_at, now)}
          {alert.times > 1 && ` · ${t.alerts.times(number(alert.times))}`}
        </p>
      </div>
      {mayAct && (
        <button class="button button-small" onClick={() => resolve.mutate()} disabled={resolve.isPending}>
          {t.alerts.resolve}
        </button>
      )}
    </li>
  );
}
