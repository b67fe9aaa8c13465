import { ago, decimal, number, shortMoment } from "~/format";
import { Done } from "~/parts/campaign";
import { Card } from "~/parts/frame";
import { useNow } from "~/parts/now";
import type { Progress } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { campaign } from "./texts";

/** How far it is, when it will be over, and why that moved. */
export function Forecast({ progress }: { progress: Progress }) {
  const t = useTexts(campaign);
  const now = useNow();
  const ended = progress.status === "completed" || progress.status === "cancelled";
  return (
    <Card>
      <div class="forecast">
        <p class="row row-apart">
          <b class="forecast-sent">{t.sentOf(number(progress.sent), number(progress.total))}</b>
          <span class="muted tabular">{!ended && t.rate(decimal(progress.rate_per_minute))}</span>
        </p>
        <Done label={t.progress} of={progress} />
        <ul class="row legend fine muted">
          <li class="legend-accent">{t.legend.answered}</li>
          <li class="legend-soft">{t.legend.sent}</li>
          {progress.send_failed > 0 && <li class="legend-bad">{t.legend.failed}</li>}
          {progress.cancelled > 0 && <li class="legend-neutral">{t.legend.cancelled}</li>}
        </ul>
        {!ended && (
          <p class="fine">
            <b>{ends(progress, t)}</b> {progress.forecast_reason && <span class="muted">· {progress.forecast_reason}</span>}
          </p>
        )}
        {!ended && progress.forecast_moved && progress.forecast_moved_at && (
          <p class="fine muted">{t.moved(progress.forecast_moved, ago(progress.forecast_moved_at, now))}</p>
        )}
        {progress.held.map((held) => (
          <p class="fine" key={held.reason}>
            {t.held(number(held.messages), shortMoment(held.until))}: {held.reason}
          </p>
        ))}
      </div>
    </Card>
  );
}

function ends(progress: Progress, t: ReturnType<typeof campaign.in>): string {
  const told = [
    progress.pending > 0 && progress.sending_ends_at ? t.sendingEnds(shortMoment(progress.sending_ends_at)) : "",
    progress.completes_at ? t.completes(shortMoment(progress.completes_at)) : "",
  ].filter(Boolean);
  return told.length > 0 ? told.join(" · ") : t.noForecast;
}
