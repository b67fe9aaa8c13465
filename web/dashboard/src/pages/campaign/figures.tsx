import { number, percent, share } from "~/format";
import { Card, Figure, type Tone } from "~/parts/frame";
import type { Progress } from "~/queries/campaigns";
import { ask } from "~/router";
import { useTexts } from "~/texts/language";
import { campaign } from "./texts";

type Name = Exclude<keyof ReturnType<typeof campaign.in>["figures"], "error_rate">;

const ALWAYS: Name[] = ["total", "sent", "delivered", "read", "interactions", "message_2_sent", "no_interaction", "send_failed"];
const IF_ANY: Name[] = ["pending", "unconfirmed", "late_replies", "opted_out", "message_2_failed", "cancelled"];
/** The people behind a figure, where one state says who they are. */
const STATES: Partial<Record<Name, string>> = {
  pending: "queued",
  unconfirmed: "unconfirmed",
  no_interaction: "no_interaction",
  send_failed: "failed",
  opted_out: "opted_out",
  late_replies: "late_reply",
  message_2_sent: "followed_up",
  cancelled: "cancelled",
};
const TONES: Partial<Record<Name, Tone>> = { send_failed: "bad", unconfirmed: "warn", message_2_failed: "bad" };

/** Every counter; one that is a state opens its people. */
export function Figures({ progress }: { progress: Progress }) {
  const t = useTexts(campaign);
  const shown = [...ALWAYS, ...IF_ANY.filter((name) => progress[name] > 0)];
  return (
    <Card>
      <dl class="figures" data-figures>
        {shown.map((name) => {
          const tone = progress[name] > 0 ? TONES[name] : undefined;
          return (
            <Figure
              key={name}
              label={<Label name={name} text={t.figures[name]} />}
              value={<span data-figure={name}>{number(progress[name])}</span>}
              note={noteOf(name, progress, t)}
              {...(tone ? { tone } : {})}
            />
          );
        })}
        <Figure
          label={t.figures.error_rate}
          value={percent(progress.error_rate)}
          {...(progress.error_rate > 0.05 ? { tone: "warn" as const } : {})}
        />
      </dl>
    </Card>
  );
}

function Label({ name, text }: { name: Name; text: string }) {
  const state = STATES[name];
  if (!state) return <>{text}</>;
  return (
    <button
      class="button-link figure-link"
      onClick={() => {
        ask({ state });
        document.getElementById("people")?.scrollIntoView({ behavior: "smooth" });
      }}
    >
      {text}
    </button>
  );
}

function noteOf(name: Name, progress: Progress, t: ReturnType<typeof campaign.in>): string | null {
  if (name === "message_2_sent") {
    const part = share(progress.message_2_sent, progress.interactions);
    return part === null ? null : t.ofReplies(percent(part));
  }
  if (!["delivered", "read", "interactions", "no_interaction"].includes(name)) return null;
  const part = share(progress[name], progress.sent);
  return part === null ? null : t.ofSent(percent(part));
}
