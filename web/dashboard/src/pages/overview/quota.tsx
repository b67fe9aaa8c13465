import { Bone, Card, Meter } from "~/parts/frame";
import { Level, levelTone } from "~/parts/campaign";
import { number } from "~/format";
import type { Monitoring } from "~/queries/service";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { overview } from "./texts";

/** How much of each number's day is used and planned, and how near to its end that is. */
export function Quota({ senders }: { senders: Monitoring["senders"] | undefined }) {
  const t = useTexts(overview);
  const words = useTexts(common);
  return (
    <Card title={t.quota}>
      {!senders && <Bone kind="line" />}
      {senders?.length === 0 && (
        <p class="fine">
          <b>{t.noSender}.</b> {t.noSenderText}
        </p>
      )}
      {senders?.map(({ id, name, quota_today: day, state }) => (
        <div class="quota" key={id}>
          <div class="row row-apart">
            <span class="fine muted">
              {name} · {words.senderState[state] ?? state}
            </span>
            <Level level={day.level} />
          </div>
          <p class="quota-used">
            {number(day.used)} <small>/ {number(day.limit)}</small>
          </p>
          <Meter
            label={`${t.quota}: ${t.quotaOf(number(day.used), number(day.limit))}`}
            most={day.limit}
            parts={[
              { value: day.used, tone: levelTone(day.level) },
              { value: day.reserved, tone: "soft" },
            ]}
          />
          <p class="fine muted row row-apart">
            <span>{t.quotaPlanned(number(day.reserved))}</span>
            <span>{t.quotaLeft(number(day.remaining))}</span>
          </p>
        </div>
      ))}
    </Card>
  );
}
