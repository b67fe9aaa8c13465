import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { asRefusal } from "~/api/problem";
import { logIn } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Languages, Themes } from "./account";
import { Field, textOf } from "./field";
import { Mark } from "./icon";
import { Trouble } from "./problem";

/** The log-in. */
export function Door() {
  const t = useTexts(common);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function enter(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setError(null);
    try {
      await logIn(client, textOf(form, "email"), textOf(form, "password"));
    } catch (refused) {
      setError(asRefusal(refused));
      setBusy(false);
    }
  }

  return (
    <main class="door">
      <form class="door-card" onSubmit={(event) => void enter(event)}>
        <div class="brand">
          <Mark />
          <b>Relance</b>
        </div>
        <h1>{t.door.title}</h1>
        {error !== null && <Trouble error={error} />}
        <Field label={t.door.email}>
          <input name="email" type="email" autocomplete="username" required autofocus />
        </Field>
        <Field label={t.door.password}>
          <input name="password" type="password" autocomplete="current-password" required />
        </Field>
        <button class="button button-main" disabled={busy}>
          {busy ? t.door.entering : t.door.enter}
        </button>
        <p class="help">{t.door.first}</p>
        <div class="account-choices">
          <Languages />
          <Themes />
        </div>
      </form>
    </main>
  );
}
