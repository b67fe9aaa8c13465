import { useQuery } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { number } from "~/format";
import { Icon } from "~/parts/icon";
import type { Filter } from "~/queries/contact-list";
import { categories } from "~/queries/contacts";
import type { Roll } from "~/queries/roll";
import { ask, place } from "~/router";
import { useStore } from "~/store";
import { useTexts } from "~/texts/language";
import { type State, stateOf } from "./filter";
import { contacts } from "./texts";

const STATES: State[] = ["all", "reachable", "out"];
/** Somebody who types is let finish the word. */
const TYPED_MS = 150;

/** Which contacts are shown. */
export function Toolbar({ filter, roll }: { filter: Filter; roll: Roll | undefined }) {
  const t = useTexts(contacts);
  const query = useStore(place)?.query ?? new URLSearchParams();
  const { data } = useQuery(categories());
  const [typed, setTyped] = useState(filter.q);
  const waiting = useRef(0);
  useEffect(() => {
    if (filter.q === "") setTyped("");
  }, [filter.q]);
  useEffect(() => () => clearTimeout(waiting.current), []);

  function type(text: string): void {
    setTyped(text);
    clearTimeout(waiting.current);
    waiting.current = window.setTimeout(() => ask({ q: text.trim() || null }), TYPED_MS);
  }

  return (
    <div class="contacts-bar" role="search">
      <div class="contacts-search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={t.search}
          placeholder={t.searchHint}
          value={typed}
          maxLength={200}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </div>
      <select class="select" aria-label={t.category} value={filter.category ?? ""} onChange={(event) => ask({ category: event.currentTarget.value || null })}>
        <option value="">{t.everyCategory}</option>
        {data?.items.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name} ({number(one.contact_count)})
          </option>
        ))}
      </select>
      <div class="chips" role="group" aria-label={t.show}>
        {STATES.map((state) => (
          <button key={state} class="chip" aria-pressed={stateOf(query) === state} onClick={() => ask({ state: state === "all" ? null : state })}>
            {t.states[state]}
          </button>
        ))}
      </div>
      <span class="muted fine contacts-count" role="status">
        {roll && (roll.whole ? t.found(number(roll.rows.length)) : t.foundMore(number(roll.ids().length)))}
      </span>
    </div>
  );
}
