import { useQuery } from "@tanstack/preact-query";
import type { Wire } from "~/api/client";
import { BoneRows, Card } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { config } from "~/queries/service";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { Setting } from "./setting";
import { Section } from "./sections";
import { settings } from "./texts";

const GROUPS = {
  pace: ["PACING_PROFILE", "WASSENGER_RATE_LIMIT_SECONDS", "PACING_JITTER", "WASSENGER_BATCH_SIZE", "WASSENGER_BATCH_PAUSE_SECONDS", "MESSAGES_PER_SECOND"],
  danger: ["ERROR_RATE_THRESHOLD", "DELAY_INCREASE_FACTOR", "CIRCUIT_BREAKER_THRESHOLD", "INVALID_NUMBER_THRESHOLD", "REACH_OUT_REST_HOURS"],
  mature: ["MATURE_DELAY_SECONDS", "MATURE_AGE_DAYS", "MATURE_SENT", "MATURE_FAILURE_RATE", "MATURE_REPLY_RATE"],
  quota: ["DAILY_MESSAGE_LIMIT", "MESSAGE_2_ALLOWANCE", "QUOTA_EXHAUSTED", "MONTHLY_NO_REPLY_CAP", "QUIET_HOURS", "CAREFUL_QUIET_HOURS"],
  time: ["REPLY_WINDOW_HOURS", "REPLY_GAP_SECONDS", "MAX_RETRY_ATTEMPTS", "RETRY_BASE_DELAY_SECONDS", "CAMPAIGN_SAFETY_TIMEOUT_HOURS", "TIME_SCALE"],
};
const GROUPED = new Set(Object.values(GROUPS).flat());

/** Every setting in force: its value, who named it, what it may be, and what it means. */
export default function Settings() {
  const t = useTexts(settings);
  const mayChange = useMay("admin");
  const { data, error, refetch } = useQuery(config());
  const groups: [keyof typeof GROUPS | "other", string[]][] = [
    ...(Object.entries(GROUPS) as [keyof typeof GROUPS, string[]][]),
    ["other", Object.keys(data ?? {}).filter((name) => !GROUPED.has(name))],
  ];
  return (
    <Section name="pace" lead={mayChange ? t.pace.lead : `${t.pace.lead} ${t.onlyAdminsChange}`}>
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      {!data && !error && (
        <Card>
          <BoneRows many={10} />
        </Card>
      )}
      {data &&
        groups
          .filter(([, names]) => names.some((name) => name in data))
          .map(([group, names]) => (
            <Card key={group} flush title={t.pace.groups[group]}>
              <dl class="settings">
                {names.flatMap((name) => {
                  const one: Wire<"SettingInForce"> | undefined = data[name];
                  return one ? [<Setting key={name} name={name} setting={one} mayChange={mayChange} />] : [];
                })}
              </dl>
            </Card>
          ))}
    </Section>
  );
}
