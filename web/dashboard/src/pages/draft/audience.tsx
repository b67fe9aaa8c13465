import { useQuery } from "@tanstack/preact-query";
import { number } from "~/format";
import { BoneRows, Card, Figure } from "~/parts/frame";
import { Field } from "~/parts/field";
import { Trouble } from "~/parts/problem";
import { categories } from "~/queries/contacts";
import { senders } from "~/queries/service";
import { useTexts } from "~/texts/language";
import { type Draft, usePreview } from "./saving";
import { draft as texts } from "./texts";

/** Who gets it, from which number, and who does not. */
export function Audience({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const { form, change } = draft;
  const numbers = useQuery(senders());
  return (
    <div class="draft-split">
      <div class="stack">
        <Card>
          <div class="stack">
            <Field label={t.name} help={t.nameHelp}>
              <input value={form.name} maxLength={200} autocomplete="off" onInput={(event) => change({ name: event.currentTarget.value })} />
            </Field>
            {(numbers.data?.items.length ?? 0) > 1 && (
              <Field label={t.sender}>
                <select value={form.sender} onChange={(event) => change({ sender: event.currentTarget.value })}>
                  <option value="">{t.senderAny}</option>
                  {numbers.data?.items.map((one) => (
                    <option key={one.id} value={one.id}>
                      {one.name}
                    </option>
                  ))}
                </select>
              </Field>
            )}
          </div>
        </Card>
        <Card title={t.categories}>
          <Choice chosen={form.categories} onChange={(chosen) => change({ categories: chosen })} label={t.categories} />
        </Card>
        <Card title={t.exclude}>
          <div class="stack">
            <div class="field">
              <span class="fine">{t.excludeCategories}</span>
              <Choice chosen={form.excluded} onChange={(chosen) => change({ excluded: chosen })} label={t.excludeCategories} quiet />
            </div>
            <Field label={`${t.contactedWithin} (${t.days})`}>
              <input
                type="number"
                min={1}
                max={3650}
                class="short"
                value={form.contactedWithinDays}
                onInput={(event) => change({ contactedWithinDays: event.currentTarget.value })}
              />
            </Field>
          </div>
        </Card>
      </div>
      <Reached draft={draft} />
    </div>
  );
}

function Choice(props: { chosen: string[]; onChange: (chosen: string[]) => void; label: string; quiet?: boolean }) {
  const t = useTexts(texts);
  const { data, error, refetch } = useQuery(categories());
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <BoneRows many={2} />;
  if (data.items.length === 0) {
    return props.quiet ? (
      <p class="fine muted">–</p>
    ) : (
      <p class="fine">
        {t.categoriesNone} <a href="/contacts">{t.categoriesOpen}</a>
      </p>
    );
  }
  return (
    <div role="group" aria-label={props.label}>
      <ul class="choice">
      {data.items.map((one) => (
        <li key={one.id}>
          <label class="check">
            <input
              type="checkbox"
              checked={props.chosen.includes(one.id)}
              onChange={(event) =>
                props.onChange(event.currentTarget.checked ? [...props.chosen, one.id] : props.chosen.filter((id) => id !== one.id))
              }
            />
            <span>{one.name}</span>
            <span class="muted fine tabular">{t.people(number(one.contact_count))}</span>
          </label>
        </li>
      ))}
      </ul>
    </div>
  );
}

/** Who is reached and who of the categories is not. */
function Reached({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const { data } = usePreview(draft);
  const all = useQuery(categories());
  const members = all.data?.items.filter((one) => draft.form.categories.includes(one.id)).reduce((sum, one) => sum + one.contact_count, 0) ?? 0;
  const audience = draft.id ? data?.audience : undefined;
  const lines: [string, number][] = audience
    ? [
        [t.members, audience.members],
        [t.optedOut, audience.opted_out],
        [t.excluded, audience.excluded],
        [t.contactedRecently, audience.contacted_recently],
        [t.samePerson, audience.same_person],
        [t.incomplete, audience.incomplete],
      ]
    : [];
  return (
    <Card title={t.reachedTitle}>
      <dl class="figures">
        <Figure label={audience ? t.reached : t.members} value={<span data-reached>{number(audience?.reached ?? members)}</span>} />
      </dl>
      {!audience && <p class="help">{t.reachedLater}</p>}
      <dl class="reached fine">
        {lines
          .filter(([, many], index) => index === 0 || many > 0)
          .map(([label, many]) => (
            <div key={label}>
              <dt class="muted">{label}</dt>
              <dd class="tabular">{number(many)}</dd>
            </div>
          ))}
      </dl>
    </Card>
  );
}
