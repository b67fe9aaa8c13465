import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { patch, post } from "~/api/client";
import { number } from "~/format";
import { Dialog } from "~/parts/dialog";
import { Field, textOf } from "~/parts/field";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import { type Sender, config, senders } from "~/queries/service";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { settings } from "./texts";

type Profile = "standard" | "careful" | "official";
const ZONES = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];

/** Add a number, or change one. */
export function SenderForm({ sender, onClose }: { sender: Sender | null; onClose: () => void }) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const client = useQueryClient();
  const most = useQuery(config()).data?.DAILY_MESSAGE_LIMIT?.value;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const pacing = (sender?.pacing ?? {}) as { profile?: Profile };

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const limit = textOf(form, "limit").trim();
    const profile = textOf(form, "profile");
    const rest = Object.fromEntries(Object.entries(pacing).filter(([name]) => name !== "profile"));
    const body = {
      name: textOf(form, "name").trim(),
      phone: textOf(form, "phone").trim() || null,
      time_zone: textOf(form, "zone").trim(),
      daily_limit: limit ? Number(limit) : null,
      pacing: profile ? { ...rest, profile: profile as Profile } : rest,
    };
    setBusy(true);
    setError(null);
    try {
      if (sender) await patch("/api/senders/{sender_id}", { path: { sender_id: sender.id }, body });
      else await post("/api/senders", { body: { ...body, time_zone: body.time_zone || null, device_id: textOf(form, "device").trim() } });
      await client.invalidateQueries({ queryKey: senders().queryKey });
      void client.invalidateQueries({ queryKey: ["sender"] });
      notify("done", sender ? t.senders.saved(body.name) : t.senders.added(body.name));
      onClose();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  }

  return (
    <Dialog title={sender ? t.senders.editOf(sender.name) : t.senders.add} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <div class="dialog-body">
          {error !== null && <Worded error={error} problems={t.problems} />}
          <Field label={t.senders.name}>
            <input name="name" required maxLength={200} autofocus autocomplete="off" defaultValue={sender?.name ?? ""} />
          </Field>
          {!sender && (
            <Field label={t.senders.device} help={t.senders.deviceHelp}>
              <input name="device" required pattern="[0-9a-f]{24}" autocomplete="off" spellcheck={false} />
            </Field>
          )}
          <Field label={t.senders.phone}>
            <input name="phone" type="tel" autocomplete="off" defaultValue={sender?.phone ?? ""} />
          </Field>
          <Field label={t.senders.zone} help={t.senders.zoneHelp}>
            <input name="zone" list="zones" required={sender !== null} autocomplete="off" defaultValue={sender?.time_zone ?? ""} />
          </Field>
          <datalist id="zones">
            {ZONES.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
          <Field label={t.senders.limit} help={typeof most === "number" ? t.senders.limitHelp(number(most)) : t.senders.limitDefault}>
            <input name="limit" type="number" min={1} max={1_000_000} step={1} defaultValue={sender?.daily_limit?.toString() ?? ""} />
          </Field>
          <Field label={t.senders.profile}>
            <select name="profile" defaultValue={pacing.profile ?? ""}>
              <option value="">{t.senders.profileDefault}</option>
              {(["standard", "careful", "official"] as const).map((one) => (
                <option key={one} value={one} selected={pacing.profile === one}>
                  {t.pace.profiles[one]}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {words.act.cancel}
          </button>
          <button class="button button-main" disabled={busy}>
            {sender ? words.act.save : t.senders.add}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
