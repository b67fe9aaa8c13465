import { Card } from "~/parts/frame";
import type { Campaign } from "~/queries/campaigns";
import { useTexts } from "~/texts/language";
import { campaign } from "./texts";

/** What is written to people. */
export function Words({ campaign: { message_1, message_2 } }: { campaign: Campaign }) {
  const t = useTexts(campaign);
  return (
    <Card title={t.messageTexts}>
      <div class="grid-2">
        <div>
          <h3>{t.types.message_1}</h3>
          <p class="words">{message_1}</p>
        </div>
        <div>
          <h3>{t.types.message_2}</h3>
          <p class="words">{message_2 ?? t.noMessageTwo}</p>
        </div>
      </div>
    </Card>
  );
}
