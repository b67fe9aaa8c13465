import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { post } from "~/api/client";
import { Dialog } from "~/parts/dialog";
import { Field, textOf } from "~/parts/field";
import { Icon } from "~/parts/icon";
import { type MadeKey, apiKeys } from "~/queries/accounts";
import { type Role, covers, me } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { FormDialog } from "./person-forms";
import { settings } from "./texts";

const ROLES: Role[] = ["viewer", "operator", "admin"];

/** Make a key. */
export function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: MadeKey) => void }) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const client = useQueryClient();
  const { data: person } = useQuery(me());

  async function save(form: HTMLFormElement): Promise<void> {
    const days = textOf(form, "days").trim();
    const made = await post("/api/keys", {
      body: { name: textOf(form, "name").trim(), role: textOf(form, "role") as Role, expires_in_days: days ? Number(days) : null },
    });
    void client.invalidateQueries({ queryKey: apiKeys().queryKey });
    onMade(made);
  }

  return (
    <FormDialog title={t.keys.add} action={t.keys.make} onClose={onClose} onSave={save}>
      <Field label={t.keys.name} help={t.keys.nameHelp}>
        <input name="name" required maxLength={200} autofocus autocomplete="off" />
      </Field>
      <Field label={t.keys.role}>
        <select name="role">
          {ROLES.filter((role) => person && covers(person.role, role)).map((role) => (
            <option key={role} value={role} selected={role === "operator"}>
              {words.account.roles[role]}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t.keys.days} help={t.keys.daysHelp}>
        <input name="days" type="number" min={1} max={3650} step={1} />
      </Field>
    </FormDialog>
  );
}

/** Show a key this once. */
export function KeptKey({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  const t = useTexts(settings);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(made.key);
      setCopied(true);
    } catch {
      setCopied(false); // no clipboard without HTTPS: the key can be selected by hand
    }
  };
  return (
    <Dialog title={t.keys.madeTitle} onClose={onClose}>
      <div class="dialog-body">
        <p>{t.keys.madeText}</p>
        <input readOnly class="key-text" aria-label={made.name} value={made.key} onFocus={(event) => event.currentTarget.select()} />
      </div>
      <footer class="dialog-foot">
        <button class="button" onClick={() => void copy()}>
          <Icon name={copied ? "check" : "copy"} />
          {copied ? t.keys.copied : t.keys.copy}
        </button>
        <button class="button button-main" onClick={onClose}>
          {t.keys.done}
        </button>
      </footer>
    </Dialog>
  );
}
