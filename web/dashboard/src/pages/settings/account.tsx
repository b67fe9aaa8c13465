import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Field, textOf } from "~/parts/field";
import { Card } from "~/parts/frame";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import { changePassword } from "~/queries/accounts";
import { me } from "~/session";
import { useTexts } from "~/texts/language";
import { Section } from "./sections";
import { settings } from "./texts";

/** One's own password. */
export default function Account() {
  const t = useTexts(settings);
  const client = useQueryClient();
  const { data: person } = useQuery(me());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [differs, setDiffers] = useState(false);

  async function change(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fresh = textOf(form, "fresh");
    const same = fresh === textOf(form, "again");
    setDiffers(!same);
    setError(null);
    if (!same) return;
    setBusy(true);
    try {
      await changePassword(client, textOf(form, "current"), fresh);
      form.reset();
      notify("done", t.account.changed);
    } catch (refused) {
      setError(refused);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Section name="account">
      <Card title={t.account.password}>
        {person && person.kind !== "user" ? (
          <p class="muted">{t.account.noPassword}</p>
        ) : (
          <form class="stack narrow" onSubmit={(event) => void change(event)}>
            {error !== null && <Worded error={error} problems={t.problems} />}
            <input class="unseen" type="email" autocomplete="username" value={person?.name ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
            <Field label={t.account.current}>
              <input name="current" type="password" required autocomplete="current-password" />
            </Field>
            <Field label={t.account.fresh} help={t.account.freshHelp}>
              <input name="fresh" type="password" required minLength={12} maxLength={200} autocomplete="new-password" />
            </Field>
            <Field label={t.account.again} error={differs ? t.account.differs : undefined}>
              <input name="again" type="password" required autocomplete="new-password" />
            </Field>
            <div class="row">
              <button class="button button-main" disabled={busy}>
                {t.account.change}
              </button>
            </div>
          </form>
        )}
      </Card>
    </Section>
  );
}
