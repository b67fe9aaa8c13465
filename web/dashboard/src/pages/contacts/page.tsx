import { useQuery } from "@tanstack/preact-query";
import { useCallback, useMemo, useState } from "preact/hooks";
import { number } from "~/format";
import { Bone, Card, Empty, Figure, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { contactList, exportAddress } from "~/queries/contact-list";
import { contactStats } from "~/queries/contacts";
import { ask, place } from "~/router";
import { useMay } from "~/session";
import { useStore } from "~/store";
import { useTexts } from "~/texts/language";
import { Bulk } from "./bulk";
import { filterOf } from "./filter";
import { List } from "./list";
import { type Draft, NewPerson } from "./new";
import { Person } from "./person";
import { useSelection } from "./selection";
import { contacts } from "./texts";
import { Toolbar } from "./toolbar";
import "./page.css";

/** Everybody who may be written to, and those who may not any more. */
export default function Contacts() {
  const t = useTexts(contacts);
  const mayAct = useMay("operator");
  const query = useStore(place)?.query;
  const asked = query?.toString() ?? "";
  const filter = useMemo(() => filterOf(new URLSearchParams(asked)), [asked]);
  const open = query?.get("open") ?? null;
  const [draft, setDraft] = useState<Draft | null>(null);
  const list = useQuery(contactList(filter));
  const chosen = useSelection(filter);
  const roll = list.data;
  const close = useCallback(() => ask({ open: null }), []);
  return (
    <>
      <PageHead title={t.title}>
        <a class="button contacts-act" href={exportAddress(filter)} download>
          <Icon name="download" />
          {t.export}
        </a>
        {mayAct && (
          <>
            <a class="button contacts-act" href="/contacts/import">
              <Icon name="upload" />
              {t.import}
            </a>
            <button class="button button-main" onClick={() => setDraft({})}>
              <Icon name="plus" />
              {t.create}
            </button>
          </>
        )}
      </PageHead>
      <Statistics />
      <Card flush>
        {chosen.ids.size > 0 && mayAct ? <Bulk chosen={chosen} roll={roll} /> : <Toolbar filter={filter} roll={roll} />}
        {list.error && <Trouble error={list.error} again={() => void list.refetch()} />}
        <div class="contacts-list">
          {!roll && !list.error && <Bones />}
          {roll?.rows.length === 0 && <Nobody narrow={filter.q !== "" || filter.category !== null || filter.optedOut !== null} mayAct={mayAct} onCreate={() => setDraft({})} />}
          {roll && roll.rows.length > 0 && <List key={asked.replace(/&?open=[^&]*/, "")} filter={filter} roll={roll} chosen={chosen} mayAct={mayAct} />}
        </div>
      </Card>
      {draft && <NewPerson draft={draft} category={filter.category} onClose={() => setDraft(null)} onRefused={setDraft} />}
      {open && <Person key={open} id={open} onClose={close} />}
    </>
  );
}

function Statistics() {
  const t = useTexts(contacts);
  const { data } = useQuery(contactStats());
  const shown = (value: number | undefined) => (value === undefined ? <Bone kind="title" /> : number(value));
  return (
    <Card>
      <dl class="figures contacts-figures">
        <Figure label={t.total} value={<span data-figure="total">{shown(data?.total)}</span>} />
        <Figure label={t.reachable} value={<span data-figure="reachable">{shown(data?.reachable)}</span>} />
        <Figure label={t.optedOut} value={<span data-figure="opted-out">{shown(data?.opted_out)}</span>} />
      </dl>
    </Card>
  );
}

function Bones() {
  return (
    <div class="bone-rows" aria-busy="true">
      {Array.from({ length: 12 }, (_, index) => (
        <Bone key={index} kind="row" />
      ))}
    </div>
  );
}

function Nobody({ narrow, mayAct, onCreate }: { narrow: boolean; mayAct: boolean; onCreate: () => void }) {
  const t = useTexts(contacts);
  if (narrow) {
    return (
      <Empty icon="search" title={t.nobody}>
        <p>{t.nobodyText}</p>
        <button class="button" onClick={() => ask({ q: null, category: null, state: null })}>
          {t.showAll}
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="contacts" title={t.none}>
      <p>{t.noneText}</p>
      {mayAct && (
        <div class="row">
          <a class="button button-main" href="/contacts/import">
            {t.import}
          </a>
          <button class="button" onClick={onCreate}>
            {t.create}
          </button>
        </div>
      )}
    </Empty>
  );
}
