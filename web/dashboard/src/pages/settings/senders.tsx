import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { number } from "~/format";
import { Badge, BoneRows, Card, Empty, type Tone } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { type Sender, senders } from "~/queries/service";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { CheckUp } from "./checkup";
import { SenderForm } from "./sender-form";
import { Section } from "./sections";
import { settings } from "./texts";

const TONES: Record<string, Tone> = { ready: "good", degraded: "warn", blocked: "bad", offline: "bad", paused: "neutral" };

/** The numbers messages go out from, and whether their gateway is ready for a campaign. */
export default function Senders() {
  const t = useTexts(settings);
  const mayChange = useMay("admin");
  const [editing, setEditing] = useState<Sender | "new" | null>(null);
  const { data, error, refetch } = useQuery(senders());
  const add = (
    <button class="button button-main" onClick={() => setEditing("new")}>
      <Icon name="plus" />
      {t.senders.add}
    </button>
  );
  return (
    <Section name="senders" lead={t.senders.lead} acts={mayChange && add}>
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      {!data && !error && (
        <Card>
          <BoneRows many={4} />
        </Card>
      )}
      {data?.items.length === 0 && (
        <Card>
          <Empty icon="phone" title={t.senders.none}>
            <p>{t.senders.noneText}</p>
            {mayChange && add}
          </Empty>
        </Card>
      )}
      {data?.items.map((sender) => (
        <Number key={sender.id} sender={sender} mayChange={mayChange} onEdit={() => setEditing(sender)} />
      ))}
      {editing && <SenderForm sender={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </Section>
  );
}

function Number({ sender, mayChange, onEdit }: { sender: Sender; mayChange: boolean; onEdit: () => void }) {
  const t = useTexts(settings);
  const { quota_today: quota } = sender;
  return (
    <Card
      title={
        <span class="row">
          {sender.name} <Badge tone={TONES[sender.state] ?? "neutral"}>{t.senders.states[sender.state] ?? sender.state}</Badge>
        </span>
      }
      acts={
        mayChange && (
          <button class="button button-small" aria-label={t.senders.editOf(sender.name)} onClick={onEdit}>
            <Icon name="edit" size={16} />
            {t.senders.edit}
          </button>
        )
      }
    >
      <div class="stack">
        {sender.reason && sender.state !== "ready" && <p class="muted">{sender.reason}</p>}
        <dl class="facts">
          <Fact label={t.senders.phone} value={sender.phone ?? "–"} />
          <Fact label={t.senders.device} value={<code>{sender.device_id}</code>} />
          <Fact label={t.senders.zone} value={sender.time_zone} />
          <Fact label={t.senders.profile} value={t.pace.profiles[sender.pace.profile] ?? sender.pace.profile} />
          <Fact label={t.senders.used} value={t.senders.usedOf(number(quota.used), number(quota.limit))} />
        </dl>
        {mayChange && <CheckUp sender={sender} />}
      </div>
    </Card>
  );
}

function Fact({ label, value }: { label: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt class="muted fine">{label}</dt>
      <dd class="tabular">{value}</dd>
    </div>
  );
}
