import { useQueries, useQuery } from "@tanstack/preact-query";
import { useRef, useState } from "preact/hooks";
import { get } from "~/api/client";
import { number } from "~/format";
import { Field } from "~/parts/field";
import { Card } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { LISTS } from "~/queries/client";
import { useTexts } from "~/texts/language";
import { Phone } from "./phone";
import { type Draft, usePreview } from "./saving";
import { type Person, isBroken } from "./template";
import { draft as texts } from "./texts";

/** What WhatsApp takes in one text. */
const MOST = 4096;
const SAMPLES = 5;

/** Both texts, and how a phone shows them to somebody of the audience. */
export function Messages({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const { form, change } = draft;
  const people = usePeople(form.categories);
  const [shown, setShown] = useState(0);
  const person = people[shown % Math.max(1, people.length)] ?? { name: null, attributes: {} };
  const keys = [...new Set(people.flatMap((one) => Object.keys(one.attributes)))].slice(0, 8);
  const { data } = usePreview(draft);
  return (
    <div class="draft-split">
      <Card>
        <div class="stack">
          <Text label={t.message1} help={t.message1Help} value={form.message1} keys={keys} onChange={(message1) => change({ message1 })} />
          <Text label={t.message2} help={t.message2Help} value={form.message2} keys={keys} onChange={(message2) => change({ message2 })} />
          {draft.id &&
            Object.entries(data?.missing ?? {}).map(([name, many]) => (
              <p key={name} class="hint hint-warn" role="status">
                <Icon name="alert" size={16} />
                {t.holes(number(many), name.replace(/^attributes\./, ""))}
              </p>
            ))}
          <label class="check">
            <input type="checkbox" checked={form.answerAutomatic} onChange={(event) => change({ answerAutomatic: event.currentTarget.checked })} />
            <span>
              {t.automatic}
              <span class="help block">{t.automaticHelp}</span>
            </span>
          </label>
        </div>
      </Card>
      <Card
        title={t.preview}
        acts={
          people.length > 1 && (
            <button class="button button-small" onClick={() => setShown(shown + 1)}>
              {t.previewOther}
            </button>
          )
        }
      >
        <Phone message1={form.message1} message2={form.message2} person={person} />
      </Card>
    </div>
  );
}

interface TextProps {
  label: string;
  help: string;
  value: string;
  keys: string[];
  onChange: (value: string) => void;
}

function Text({ label, help, value, keys, onChange }: TextProps) {
  const t = useTexts(texts);
  const box = useRef<HTMLDivElement>(null);
  const error = isBroken(value) ? t.broken : value.length > MOST ? t.tooLong(number(MOST)) : undefined;
  function insert(name: string): void {
    const area = box.current?.querySelector("textarea");
    const at = area?.selectionStart ?? value.length;
    const put = `{{${name}}}`;
    onChange(value.slice(0, at) + put + value.slice(area?.selectionEnd ?? at));
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(at + put.length, at + put.length);
    });
  }
  return (
    <div ref={box} class="text">
      <Field label={label} help={help} error={error}>
        <textarea rows={5} value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      </Field>
      <p class="row row-apart fine muted">
        <span class="chips">
          {[t.placeholderName, ...keys].map((name) => (
            <button key={name} class="chip" aria-label={`${t.insert} {{${name}}} (${label})`} onClick={() => insert(name)}>
              {`{{${name}}}`}
            </button>
          ))}
        </span>
        <span class="tabular">{t.characters(number(value.length))}</span>
      </p>
    </div>
  );
}

/** Return a few people of the first category, with all that is known of them. */
function usePeople(categories: string[]): Person[] {
  const category = categories[0];
  const lines = useQuery({
    queryKey: ["contacts", "samples", category],
    queryFn: ({ signal }) => get("/api/contacts", { query: { category_id: category ?? null, limit: SAMPLES }, signal }),
    enabled: category !== undefined,
    staleTime: LISTS,
  });
  return useQueries({
    queries: (lines.data?.items ?? []).map(({ id }) => ({
      queryKey: ["contact", id],
      queryFn: ({ signal }: { signal: AbortSignal }) => get("/api/contacts/{contact_id}", { path: { contact_id: id }, signal }),
      staleTime: LISTS,
    })),
    combine: (answers) => answers.flatMap(({ data }) => (data ? [data] : [])),
  });
}
