import { textOf, Field } from "~/parts/field";
import { Card } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { go } from "~/router";
import { useTexts } from "~/texts/language";
import { Section } from "./sections";
import { settings } from "./texts";

/** Where one begins when a person wants to be forgotten, or wants to know. */
export default function Privacy() {
  const t = useTexts(settings);

  function find(event: SubmitEvent): void {
    event.preventDefault();
    const sought = textOf(event.currentTarget as HTMLFormElement, "q").trim();
    if (sought) go(`/contacts?${new URLSearchParams({ q: sought }).toString()}`);
  }

  return (
    <Section name="privacy">
      <Card title={t.privacy.title}>
        <form class="stack narrow" onSubmit={find}>
          <p>{t.privacy.text}</p>
          <Field label={t.privacy.find}>
            <input name="q" type="search" required maxLength={200} autocomplete="off" />
          </Field>
          <div class="row">
            <button class="button button-main">
              <Icon name="search" />
              {t.privacy.go}
            </button>
          </div>
        </form>
      </Card>
      <div class="grid-2">
        <Card title={t.privacy.dataTitle}>
          <p class="muted">{t.privacy.data}</p>
        </Card>
        <Card title={t.privacy.optOutTitle}>
          <p class="muted">{t.privacy.optOut}</p>
        </Card>
      </div>
    </Section>
  );
}
