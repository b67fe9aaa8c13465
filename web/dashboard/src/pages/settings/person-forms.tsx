import { useQueryClient } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { patch, post } from "~/api/client";
import { Dialog } from "~/parts/dialog";
import { Field, textOf } from "~/parts/field";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import { type User, people } from "~/queries/accounts";
import type { Role } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { settings } from "./texts";

interface FormProps {
  title: string;
  action: string;
  onClose: () => void;
  onSave: (form: HTMLFormElement) => Promise<void>;
  children: ComponentChildren;
}

/** A form in a dialog: it closes when what it asked for was done, and says why when it was not. */
export function FormDialog({ title, action, onClose, onSave, children }: FormProps) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSave(event.currentTarget as HTMLFormElement);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <div class="dialog-body">
          {error !== null && <Worded error={error} problems={t.problems} />}
          {children}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {words.act.cancel}
          </button>
          <button class="button button-main" disabled={busy}>
            {action}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Let somebody log in. */
export function NewUser({ onClose }: { onClose: () => void }) {
  const t = useTexts(settings);
  const client = useQueryClient();

  async function save(form: HTMLFormElement): Promise<void> {
    const email = textOf(form, "email").trim();
    const role = textOf(form, "role") as Role;
    await post("/api/users", { body: { email, role, name: textOf(form, "name").trim(), password: textOf(form, "password") } });
    await client.invalidateQueries({ queryKey: people().queryKey });
    notify("done", t.people.added(email));
    onClose();
  }

  return (
    <FormDialog title={t.people.add} action={t.people.add} onClose={onClose} onSave={save}>
      <Field label={t.people.email}>
        <input name="email" type="email" required maxLength={254} autofocus autocomplete="off" />
      </Field>
      <Field label={t.people.name}>
        <input name="name" maxLength={200} autocomplete="off" />
      </Field>
      <Field label={t.people.role}>
        <select name="role">
          {(["viewer", "operator", "admin"] as const).map((role) => (
            <option key={role} value={role} selected={role === "operator"}>
              {t.people.roles[role]}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t.people.password} help={t.people.passwordHelp}>
        <input name="password" type="password" required minLength={12} maxLength={200} autocomplete="new-password" />
      </Field>
    </FormDialog>
  );
}

/** Give somebody a new password. */
export function NewPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useTexts(settings);
  const client = useQueryClient();

  async function save(form: HTMLFormElement): Promise<void> {
    await patch("/api/users/{user_id}", { path: { user_id: user.id }, body: { password: textOf(form, "password") } });
    await client.invalidateQueries({ queryKey: people().queryKey });
    notify("done", t.people.saved(user.name || user.email));
    onClose();
  }

  return (
    <FormDialog title={t.people.newPasswordOf(user.name || user.email)} action={t.people.setPassword} onClose={onClose} onSave={save}>
      <Field label={t.people.newPassword} help={t.people.passwordHelp}>
        <input name="password" type="password" required minLength={12} maxLength={200} autofocus autocomplete="new-password" />
      </Field>
    </FormDialog>
  );
}
