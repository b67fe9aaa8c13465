import { decimal, number } from "~/format";
import { Field } from "~/parts/field";
import { Card } from "~/parts/frame";
import { useTexts } from "~/texts/language";
import type { Form } from "./form";
import { Foretold } from "./foretold";
import { type Draft, usePreview } from "./saving";
import { draft as texts } from "./texts";

/** How fast, when not, and what that means: the forecast and the risk follow what is typed. */
export function Pace({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const { form, change } = draft;
  const { data } = usePreview(draft);
  const pace = data?.pace;
  const put = (name: "delay" | "size" | "pause" | "quietHours" | "spreadDays") => (event: { currentTarget: HTMLInputElement }) =>
    change({ [name]: event.currentTarget.value });
  return (
    <div class="draft-split">
      <Card>
        <div class="stack">
          <Field label={t.profile} help={t.profileHelp}>
            <select value={form.profile} onChange={(event) => change({ profile: event.currentTarget.value as Form["profile"] })}>
              {(Object.keys(t.profiles) as Form["profile"][]).map((one) => (
                <option key={one} value={one}>
                  {t.profiles[one]}
                </option>
              ))}
            </select>
          </Field>
          <div class="grid-3">
            <Field label={t.delay} help={pace && t.inForce(decimal(pace.delay_seconds, 2))}>
              <input type="number" min={0} step="any" value={form.delay} onInput={put("delay")} />
            </Field>
            <Field label={t.size} help={pace && t.inForce(number(pace.size))}>
              <input type="number" min={1} value={form.size} onInput={put("size")} />
            </Field>
            <Field label={t.pause} help={pace && t.inForce(decimal(pace.pause_seconds, 1))}>
              <input type="number" min={0} step="any" value={form.pause} onInput={put("pause")} />
            </Field>
          </div>
          <div class="grid-2">
            <Field label={t.quietHours} help={t.quietHoursHelp}>
              <input value={form.quietHours} placeholder="21:00-08:00" onInput={put("quietHours")} />
            </Field>
            <Field label={t.spread} help={t.spreadHelp}>
              <input type="number" min={1} max={365} value={form.spreadDays} onInput={put("spreadDays")} />
            </Field>
          </div>
        </div>
      </Card>
      <Foretold draft={draft} onTake={(profile) => change({ profile })} />
    </div>
  );
}
