import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { post } from "~/api/client";
import { duration, moment, number } from "~/format";
import { Level, SenderState, levelTone } from "~/parts/campaign";
import { confirm } from "~/parts/dialog";
import { Bone, Card, Empty, Meter } from "~/parts/frame";
import { notifyRefusal } from "~/parts/notice";
import { type Monitoring, type Sender, senders } from "~/queries/service";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { monitoring } from "./texts";

type Seen = Monitoring["senders"][number];

/** Each number: may it send, how much of its day is used, at what pace, and what its lane does. */
export function Senders({ seen }: { seen: Seen[] | undefined }) {
  const t = useTexts(monitoring);
  const { data } = useQuery(senders());
  return (
    <div class="stack">
      {!seen && <Bone kind="card" />}
      {seen?.length === 0 && (
        <Card title={t.senders}>
          <Empty icon="phone" title={t.noSenders}>
            <p>{t.noSendersText}</p>
          </Empty>
        </Card>
      )}
      {seen?.map((one) => (
        <Number key={one.id} seen={one} whole={data?.items.find((sender) => sender.id === one.id)} />
      ))}
    </div>
  );
}

function Number({ seen, whole }: { seen: Seen; whole: Sender | undefined }) {
  const t = useTexts(monitoring);
  const day = seen.quota_today;
  return (
    <Card
      title={
        <span class="row">
          {seen.name} {whole?.phone && <span class="muted fine">{whole.phone}</span>} <SenderState state={seen.state} />
        </span>
      }
      acts={<Switch sender={seen} />}
    >
      {seen.reason && <p class="hint hint-warn">{seen.reason}</p>}
      <div class="watch-number">
        <div>
          <p class="row row-apart fine">
            <span class="muted">{t.quota}</span> <Level level={day.level} />
          </p>
          <Meter
            label={`${t.quota}: ${t.quotaOf(number(day.used), number(day.limit))}`}
            most={day.limit}
            parts={[
              { value: day.used, tone: levelTone(day.level) },
              { value: day.reserved, tone: "soft" },
            ]}
          />
          <p class="fine tabular">
            {t.quotaOf(number(day.used), number(day.limit))} · {t.planned(number(day.reserved))}
          </p>
        </div>
        <Fact label={t.lane} value={laneOf(seen, t)} note={seen.lane.pending > 0 ? t.laneWaiting(number(seen.lane.pending)) : ""} />
        {whole && (
          <>
            <Fact
              label={t.pace}
              value={t.paceOf(duration(whole.pace.delay_seconds), number(whole.pace.size), duration(whole.pace.pause_seconds))}
              note={whole.pace.profile}
            />
            <Fact
              label={t.maturity}
              value={whole.maturity.mature ? t.mature : t.young}
              note={(whole.maturity.mature ? whole.maturity.reasons : whole.maturity.missing)[0] ?? ""}
            />
            <Fact label={t.newChats} value={chatsOf(whole, t)} note={heldOf(whole, t)} />
          </>
        )}
      </div>
    </Card>
  );
}

function Fact({ label, value, note }: { label: string; value: string; note: string }) {
  return (
    <div class="fine">
      <p class="muted">{label}</p>
      <p>{value}</p>
      {note && <p class="muted">{note}</p>}
    </div>
  );
}

type Words = ReturnType<typeof monitoring.in>;

function laneOf({ lane }: Seen, t: Words): string {
  if (lane.opens_in_seconds >= 1) return t.laneOpens(duration(Math.round(lane.opens_in_seconds)));
  return lane.owned ? t.laneOwned : t.laneIdle;
}

function chatsOf({ new_conversations: chats }: Sender, t: Words): string {
  const opened = number(chats.opened_today);
  return chats.cap === null ? t.newChatsFree(opened) : t.newChatsOf(opened, number(chats.cap));
}

function heldOf({ new_conversations: chats }: Sender, t: Words): string {
  return chats.held_until ? t.held(moment(chats.held_until), chats.held_reason) : chats.cap_reason;
}

function Switch({ sender }: { sender: Seen }) {
  const t = useTexts(monitoring);
  const client = useQueryClient();
  const mayAct = useMay("operator");
  const paused = sender.state === "paused";
  const act = useMutation({
    mutationFn: () =>
      paused
        ? post("/api/senders/{sender_id}/resume", { path: { sender_id: sender.id } })
        : post("/api/senders/{sender_id}/pause", { path: { sender_id: sender.id } }),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["monitoring"] });
      void client.invalidateQueries({ queryKey: ["senders"] });
    },
    onError: notifyRefusal,
  });
  if (!mayAct) return null;
  async function ask(): Promise<void> {
    const sure = await confirm(
      paused
        ? { title: t.resumeTitle(sender.name), consequence: <p>{t.resumeConsequence}</p>, action: t.resume }
        : { title: t.pauseTitle(sender.name), consequence: <p>{t.pauseConsequence}</p>, action: t.pause, danger: true },
    );
    if (sure) act.mutate();
  }
  return (
    <button class="button button-small" disabled={act.isPending} onClick={() => void ask()}>
      {paused ? t.resume : t.pause}
    </button>
  );
}
