import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Badge, Meter, type Tone } from "./frame";

const TONES: Record<string, Tone> = {
  draft: "neutral",
  scheduled: "busy",
  launching: "busy",
  sending: "busy",
  waiting: "busy",
  paused: "warn",
  completed: "good",
  cancelled: "neutral",
};

/** Where a campaign is. */
export function Status({ status }: { status: string }) {
  const t = useTexts(common);
  const names: Record<string, string> = t.campaignStatus;
  return <Badge tone={TONES[status] ?? "neutral"}>{names[status] ?? status}</Badge>;
}

/** Whether something of a campaign still moves by itself. */
export const isRunning = (status: string): boolean => ["launching", "sending", "waiting", "paused"].includes(status);

/** How much of a campaign is done: answered, sent, failed, and the rest. */
export function Done({
  label,
  of,
}: {
  label: string;
  of: { total: number; sent: number; interactions: number; send_failed?: number; cancelled?: number };
}) {
  const answered = Math.min(of.interactions, of.sent);
  return (
    <Meter
      label={label}
      most={of.total}
      parts={[
        { value: answered, tone: "accent" },
        { value: of.sent - answered, tone: "soft" },
        { value: of.send_failed ?? 0, tone: "bad" },
        { value: of.cancelled ?? 0, tone: "neutral" },
      ]}
    />
  );
}

const SENDERS: Record<string, Tone> = { ready: "good", degraded: "warn", blocked: "bad", offline: "bad", paused: "warn" };

/** Whether a number can send. */
export function SenderState({ state }: { state: string }) {
  const t = useTexts(common);
  return <Badge tone={SENDERS[state] ?? "neutral"}>{t.senderState[state] ?? state}</Badge>;
}

const LEVELS: Record<string, Tone> = { ok: "good", attention: "warn", danger: "bad", blocked: "bad" };

/** How near a number is to the end of its day. */
export function Level({ level }: { level: string }) {
  const t = useTexts(common);
  const names: Record<string, string> = t.level;
  return <Badge tone={LEVELS[level] ?? "neutral"}>{names[level] ?? level}</Badge>;
}

/** The colour of a level, for bars. */
export const levelTone = (level: string): Tone | "accent" => (level === "ok" ? "accent" : (LEVELS[level] ?? "neutral"));
