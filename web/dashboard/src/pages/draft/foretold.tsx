import { day, duration, number, shortMoment } from "~/format";
import { Badge, Card, type Tone } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { useTexts } from "~/texts/language";
import type { Form } from "./form";
import { type Draft, usePreview } from "./saving";
import { draft as texts } from "./texts";

const RISKS: Record<string, Tone> = { low: "good", moderate: "warn", high: "bad" };

/** When it would end, day by day, and what it risks. */
export function Foretold({ draft, onTake }: { draft: Draft; onTake: (profile: Form["profile"]) => void }) {
  const t = useTexts(texts);
  const { data, error, refetch, isPlaceholderData } = usePreview(draft);
  if (!draft.id) {
    return (
      <Card title={t.forecast}>
        <p class="fine muted">{t.previewWaits}</p>
      </Card>
    );
  }
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <Card title={t.forecast}>…</Card>;
  const { forecast, risk, plan, quota } = data;
  const parts = Object.entries(forecast.parts).filter(([, seconds]) => seconds >= 1);
  return (
    <div class={isPlaceholderData ? "stack fading" : "stack"} aria-live="polite">
      <Card title={t.forecast}>
        <div class="foretold fine" data-forecast>
          {forecast.sending_ends_at ? (
            <p>
              <b>{t.sendingEnds(shortMoment(forecast.sending_ends_at))}</b>
            </p>
          ) : (
            <p>{t.noForecast}</p>
          )}
          {forecast.completes_at && <p>{t.completes(shortMoment(forecast.completes_at))}</p>}
          <dl class="reached">
            {parts.map(([name, seconds]) => (
              <div key={name}>
                <dt class="muted">{t.parts[name] ?? name}</dt>
                <dd class="tabular">{duration(seconds)}</dd>
              </div>
            ))}
          </dl>
          <p class="muted">{t.quota(number(data.quota_needed), number(quota.remaining))}</p>
          {data.plan_reason && (
            <p class="hint hint-bad">
              <Icon name="alert" size={16} />
              {data.plan_reason}
            </p>
          )}
          {Object.keys(plan).length > 1 && (
            <>
              <h3>{t.plan}</h3>
              <dl class="reached">
                {Object.entries(plan).map(([date, many]) => (
                  <div key={date}>
                    <dt class="muted">{day(`${date}T12:00:00`)}</dt>
                    <dd class="tabular">{number(many)}</dd>
                  </div>
                ))}
              </dl>
            </>
          )}
        </div>
      </Card>
      <Card title={t.risk} acts={<Badge tone={RISKS[risk.level] ?? "neutral"}>{t.riskLevels[risk.level] ?? risk.level}</Badge>}>
        <ul class="foretold fine">
          {risk.sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
          {risk.proposal && (
            <li class="stack">
              <span class="muted">{risk.proposal.why}</span>
              <button class="button button-small" onClick={() => onTake(risk.proposal?.profile as Form["profile"])}>
                {t.take(t.profiles[risk.proposal.profile as Form["profile"]].toLowerCase())}
              </button>
            </li>
          )}
        </ul>
      </Card>
    </div>
  );
}
