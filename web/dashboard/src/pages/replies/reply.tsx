import { moment, shortMoment } from "~/format";
import { Badge, type Tone } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import type { Reply } from "~/queries/replies";
import { useTexts } from "~/texts/language";
import { markRead } from "./reading";
import { replies } from "./texts";

const TONES: Record<string, Tone> = { opt_out: "warn", follow_up: "good", final_reply: "good", late: "neutral", parked: "busy" };

/** One answer: who, what, in which campaign, and what it meant there. */
export function Answer({ reply, isUnread, campaign }: { reply: Reply; isUnread: boolean; campaign: string | undefined }) {
  const t = useTexts(replies);
  const who = reply.name ?? reply.phone ?? t.erased;
  const digits = reply.phone?.replace(/\D/g, "");
  const seen = (): void => markRead(reply.id);
  return (
    <li class={isUnread ? "reply reply-unread" : "reply"} onClick={seen}>
      <i class="reply-dot" role={isUnread ? "img" : undefined} aria-label={isUnread ? t.isUnread : undefined} />
      <div class="reply-who">
        {reply.phone ? (
          <a class="reply-name" href={`/contacts?open=${reply.contact_id}`} onClick={seen}>
            {who}
          </a>
        ) : (
          <span class="reply-name muted">{who}</span>
        )}
        {reply.name && reply.phone && <span class="muted fine tabular">{reply.phone}</span>}
      </div>
      <div class="reply-what">
        <p>
          {reply.type !== "text" && reply.type !== "emoji" && <span class="muted">{t.types[reply.type] ?? reply.type}{reply.body ? ": " : ""}</span>}
          {reply.body}
        </p>
        <p class="muted fine">
          {reply.campaign_id ? <a href={`/campaigns/${reply.campaign_id}`}>{campaign ?? t.campaign}</a> : t.noCampaign}
        </p>
      </div>
      <div class="reply-meaning">
        <Badge tone={TONES[reply.outcome] ?? "neutral"}>{t.outcomes[reply.outcome] ?? reply.outcome}</Badge>
      </div>
      <time class="reply-when muted fine tabular" dateTime={reply.at} title={moment(reply.at)}>
        {shortMoment(reply.at)}
      </time>
      {digits ? (
        <a class="button-bare reply-open" href={`https://wa.me/${digits}`} target="_blank" rel="noreferrer" title={t.openWhatsApp} aria-label={t.openWhatsAppOf(who)} onClick={seen}>
          <Icon name="external" />
        </a>
      ) : (
        <span />
      )}
    </li>
  );
}
