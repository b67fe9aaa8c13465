import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Field, textOf } from "~/parts/field";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { tell } from "~/parts/worded";
import { type Contact, type ContactChange, changeContact } from "~/queries/contact-changes";
import { changeMemberships } from "~/queries/categories";
import { categories } from "~/queries/contacts";
import { useTexts } from "~/texts/language";
import { contacts } from "./texts";

/** What can be changed of a person. A viewer sees the same and cannot. */
export function PersonForm({ person, mayAct }: { person: Contact; mayAct: boolean }) {
  const t = useTexts(contacts);
  const client = useQueryClient();
  const { data } = useQuery(categories());
  const [pairs, setPairs] = useState<[string, string][]>(() => Object.entries(person.attributes));
  const names = pairs.map(([name]) => name.trim()).filter(Boolean);
  const twice = new Set(names).size !== names.length;

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (twice) return;
    const form = event.currentTarget as HTMLFormElement;
    const change: ContactChange = {
      name: textOf(form, "name").trim() || null,
      consent_source: textOf(form, "consent").trim() || null,
      attributes: Object.fromEntries(pairs.filter(([name]) => name.trim()).map(([name, text]) => [name.trim(), text])),
    };
    const wanted = new FormData(form).getAll("category").map(String);
    try {
      await Promise.all([changeContact(client, person, change), changeMemberships(client, person.id, person.category_ids, wanted)]);
      notify("done", t.person.saved(change.name ?? person.phone));
    } catch (error) {
      tell(error, t.problems);
    }
  }

  const setPair = (at: number, pair: [string, string]): void => setPairs(pairs.map((one, index) => (index === at ? pair : one)));
  return (
    <form id="person-form" class="stack" onSubmit={(event) => void save(event)}>
      <fieldset class="stack" disabled={!mayAct}>
        <Field label={t.person.name}>
          <input name="name" maxLength={200} autocomplete="off" defaultValue={person.name ?? ""} />
        </Field>
        <Field label={t.person.consent} help={t.person.consentHelp}>
          <input name="consent" maxLength={200} autocomplete="off" defaultValue={person.consent_source ?? ""} />
        </Field>
        <fieldset>
          <legend>{t.person.categories}</legend>
          {data?.items.length === 0 && <p class="muted">{t.person.noCategories}</p>}
          <div class="contacts-ticks">
            {data?.items.map((one) => (
              <label key={one.id} class="check">
                <input type="checkbox" name="category" value={one.id} defaultChecked={person.category_ids.includes(one.id)} />
                {one.name}
              </label>
            ))}
          </div>
        </fieldset>
        <fieldset class="contacts-attributes">
          <legend>{t.person.attributes}</legend>
          <p class="help">{t.person.attributesHelp}</p>
          {pairs.map(([name, text], at) => (
            <div key={at} class="contacts-attribute">
              <input aria-label={t.person.attributeName} value={name} maxLength={100} onInput={(event) => setPair(at, [event.currentTarget.value, text])} />
              <input aria-label={t.person.attributeValue} value={text} maxLength={2000} onInput={(event) => setPair(at, [name, event.currentTarget.value])} />
              {mayAct && (
                <button type="button" class="button-bare" aria-label={t.person.dropAttribute(name)} onClick={() => setPairs(pairs.filter((_, index) => index !== at))}>
                  <Icon name="close" size={16} />
                </button>
              )}
            </div>
          ))}
          {twice && <p class="error" role="alert">{t.person.twice}</p>}
          {mayAct && (
            <button type="button" class="button button-small" onClick={() => setPairs([...pairs, ["", ""]])}>
              <Icon name="plus" size={16} />
              {t.person.addAttribute}
            </button>
          )}
        </fieldset>
      </fieldset>
    </form>
  );
}
