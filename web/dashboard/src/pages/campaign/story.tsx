import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { type Wire, post } from "~/api/client";
import { exactTime, number, shortMoment } from "~/format";
import { Dialog, confirm } from "~/parts/dialog";
import { Badge, Bone } from "~/parts/frame";
import { notifyRefusal } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { type Recipient, keys, recipient } from "~/queries/campaigns";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { State } from "./people";
import { campaign } from "./texts";

/** Everything about one person in a campaign: what was written, what they did, every move and why. */
export function Story({ id, campaign: of, name, onClose }: { id: string; campaign: string; name: string; onClose: () => void }) {
  const t = useTexts(campaign);
  const { data, error, refetch } = useQuery(recipient(id));
  return (
    <Dialog title={data ? (data.name ?? data.phone ?? t.erased) : t.story} onClose={onClose} side>
      <div class="dialog-body story">
        {error && !data && <Trouble error={error} again={() => void refetch()} />}
        {!data && !error && <Bone kind="block" />}
        {data && (
          <>
            <p class="row">
              <State state={data.state} />
              <span class="muted tabular">{data.phone}</span>
              <span class="muted">{name}</span>
            </p>
            {data.reason && <p class="fine">{data.reason}</p>}
            {data.state === "unconfirmed" && <Doubt person={data} campaign={of} />}
            <Messages of={data.messages} />
            <Interactions of={data.interactions} />
            <Events of={data.events} />
          </>
        )}
      </div>
    </Dialog>
  );
}

function Doubt({ person, campaign: of }: { person: Recipient; campaign: string }) {
  const t = useTexts(campaign);
  const client = useQueryClient();
  const mayAct = useMay("operator");
  const resolve = useMutation({
    mutationFn: (as: "sent" | "retry") => post("/api/recipients/{recipient_id}/resolve", { path: { recipient_id: person.id }, body: { as } }),
    onSuccess: (now) => {
      client.setQueryData(keys.recipient(person.id), now);
      for (const key of [["recipients", of], keys.progress(of)]) void client.invalidateQueries({ queryKey: key });
    },
    onError: notifyRefusal,
  });
  async function ask(as: "sent" | "retry"): Promise<void> {
    const sure = await confirm(
      as === "sent"
        ? { title: t.itLeftTitle, consequence: <p>{t.itLeftConsequence}</p>, action: t.itLeft }
        : { title: t.sendAgainTitle, consequence: <p>{t.sendAgainConsequence}</p>, action: t.sendAgain, danger: true },
    );
    if (sure) resolve.mutate(as);
  }
  return (
    <div class="hint hint-warn">
      <div class="stack">
        <p>{t.doubtOne}</p>
        {mayAct && (
          <p class="row">
            <button class="button" disabled={resolve.isPending} onClick={() => void ask("sent")}>
              {t.itLeft}
            </button>
            <button class="button" disabled={resolve.isPending} onClick={() => void ask("retry")}>
              {t.sendAgain}
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

function Messages({ of }: { of: Wire<"Message">[] }) {
  const t = useTexts(campaign);
  return (
    <section>
      <h3>{t.messages}</h3>
      <ul class="stack">
        {of.map((message) => (
          <li key={message.id} class="bubble bubble-out">
            <p class="row row-apart fine">
              <b>{t.types[message.message_type]}</b>
              <Badge tone={message.status === "failed" ? "bad" : message.status === "unconfirmed" ? "warn" : "neutral"}>
                {t.messageStates[message.status] ?? message.status}
              </Badge>
            </p>
            <p class="words-plain">{message.content}</p>
            <p class="fine muted tabular">{tail(message, t)}</p>
            {message.error_message && <p class="error">{message.error_message}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function tail(message: Wire<"Message">, t: ReturnType<typeof campaign.in>): string {
  return [
    message.sent_at && t.tail.sent(exactTime(message.sent_at)),
    message.delivered_at && t.tail.delivered(exactTime(message.delivered_at)),
    message.read_at && t.tail.read(exactTime(message.read_at)),
    message.retry_count > 0 && t.retries(number(message.retry_count)),
  ]
    .filter(Boolean)
    .join(" · ");
}

function Interactions({ of }: { of: Wire<"Interaction">[] }) {
  const t = useTexts(campaign);
  return (
    <section>
      <h3>{t.interactions}</h3>
      {of.length === 0 && <p class="fine muted">{t.noInteractions}</p>}
      <ul class="stack">
        {of.map((one) => (
          <li key={one.id} class="bubble">
            <p class="words-plain">{one.body ?? one.type}</p>
            <p class="fine muted">
              {shortMoment(one.at)} · {one.type} · {one.outcome}
              {one.reason && `: ${one.reason}`}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Events({ of }: { of: Wire<"Event">[] }) {
  const t = useTexts(campaign);
  return (
    <section>
      <h3>{t.events}</h3>
      <ol class="events fine">
        {of.map((event, index) => (
          <li key={index}>
            <span class="muted tabular">{exactTime(event.at)}</span>
            <span>
              {t.subjects[event.subject] ?? event.subject}: {event.old && `${event.old} → `}
              <b>{event.new}</b>
              <span class="muted block">
                {event.reason} {event.moved_by && t.by(event.moved_by)}
              </span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
