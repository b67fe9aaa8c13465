import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { Dialog } from "~/parts/dialog";
import { Field, textOf } from "~/parts/field";
import { notify } from "~/parts/notice";
import { Worded, tell } from "~/parts/worded";
import { type NewContact, createContact } from "~/queries/contact-changes";
import { categories } from "~/queries/contacts";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { contacts } from "./texts";

/** What was typed, and why the service refused it. */
export interface Draft {
  wanted?: NewContact;
  error?: unknown;
}

/** Add somebody. The dialog closes at once; what is refused opens it again with everything that was typed. */
export function NewPerson({
  draft,
  category,
  onClose,
  onRefused,
}: {
  draft: Draft;
  category: string | null;
  onClose: () => void;
  onRefused: (draft: Draft) => void;
}) {
  const t = useTexts(contacts);
  const words = useTexts(common);
  const client = useQueryClient();
  const { data } = useQuery(categories());
  const before = draft.wanted;
  const into = before?.category_ids ?? (category ? [category] : []);

  function add(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wanted: NewContact = {
      phone: textOf(form, "phone").trim(),
      name: textOf(form, "name").trim() || null,
      consent_source: textOf(form, "consent").trim() || null,
      category_ids: new FormData(form).getAll("category").map(String),
    };
    onClose();
    createContact(client, wanted)
      .then((made) => notify("done", t.person.created(made.name ?? made.phone)))
      .catch((error: unknown) => {
        tell(error, t.problems);
        onRefused({ wanted, error });
      });
  }

  return (
    <Dialog title={t.create} onClose={onClose}>
      <form onSubmit={add}>
        <div class="dialog-body">
          {draft.error !== undefined && <Worded error={draft.error} problems={t.problems} />}
          <Field label={t.person.phone} help={t.person.phoneHelp}>
            <input name="phone" type="tel" required maxLength={100} autofocus autocomplete="off" defaultValue={before?.phone ?? ""} />
          </Field>
          <Field label={t.person.name}>
            <input name="name" maxLength={200} autocomplete="off" defaultValue={before?.name ?? ""} />
          </Field>
          <Field label={t.person.consent} help={t.person.consentHelp}>
            <input name="consent" maxLength={200} autocomplete="off" defaultValue={before?.consent_source ?? ""} />
          </Field>
          {data && data.items.length > 0 && (
            <fieldset>
              <legend>{t.person.categories}</legend>
              <div class="contacts-ticks">
                {data.items.map((one) => (
                  <label key={one.id} class="check">
                    <input type="checkbox" name="category" value={one.id} defaultChecked={into.includes(one.id)} />
                    {one.name}
                  </label>
                ))}
              </div>
            </fieldset>
          )}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {words.act.cancel}
          </button>
          <button class="button button-main">{t.person.add}</button>
        </footer>
      </form>
    </Dialog>
  );
}
