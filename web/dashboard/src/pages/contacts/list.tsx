import { useQueryClient } from "@tanstack/preact-query";
import { useRef, useState } from "preact/hooks";
import { day } from "~/format";
import { Badge } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { Rows } from "~/parts/rows";
import type { Filter } from "~/queries/contact-list";
import { listKey, part } from "~/queries/contact-list";
import type { Roll} from "~/queries/roll";
import { type ContactLine, isDraft } from "~/queries/roll";
import { ask } from "~/router";
import { useTexts } from "~/texts/language";
import { tell } from "~/parts/worded";
import { askToErase } from "./erasing";
import { useFetching } from "./fetching";
import { MOST_SELECTED, type Selection } from "./selection";
import { contacts } from "./texts";

/** The list itself. */
export function List({ filter, roll, chosen, mayAct }: { filter: Filter; roll: Roll; chosen: Selection; mayAct: boolean }) {
  const t = useTexts(contacts);
  const client = useQueryClient();
  const { onLook, error, again } = useFetching(filter, roll);
  const last = useRef(0);

  function toggle(index: number, range: boolean): void {
    const line = roll.rows[index];
    if (!line || isDraft(line)) return;
    const on = !chosen.ids.has(line.id);
    const [from, to] = range ? [Math.min(last.current, index), Math.max(last.current, index)] : [index, index];
    chosen.toggle(roll.ids(from, to + 1), on);
    last.current = index;
  }

  const open = (index: number): void => {
    const line = roll.rows[index];
    if (line && !isDraft(line)) ask({ open: line.id });
  };
  const erase = (index: number): void => {
    const line = roll.rows[index];
    if (line && !isDraft(line)) void askToErase(client, line);
  };
  const line = (index: number) => (
    <Line line={roll.rows[index]} isChosen={!!roll.rows[index] && chosen.ids.has(roll.rows[index].id)} onToggle={mayAct ? (range) => toggle(index, range) : undefined} />
  );
  return (
    <>
      {error !== null && <Trouble error={error} again={again} />}
      <Rows
        label={t.title}
        many={roll.rows.length}
        height={2.75}
        head={<Head filter={filter} roll={roll} chosen={chosen} mayAct={mayAct} />}
        row={line}
        {...(mayAct ? { isSelected: (index: number) => !!roll.rows[index] && chosen.ids.has(roll.rows[index].id), onToggle: toggle, onDelete: erase } : {})}
        onOpen={open}
        onLook={onLook}
      />
      <p class="unseen">{t.keys}</p>
    </>
  );
}

function Head({ filter, roll, chosen, mayAct }: { filter: Filter; roll: Roll; chosen: Selection; mayAct: boolean }) {
  const t = useTexts(contacts);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const tooMany = !roll.whole || roll.rows.length > MOST_SELECTED;
  const all = chosen.ids.size > 0 && chosen.ids.size >= roll.rows.length;

  async function selectAll(): Promise<void> {
    if (chosen.ids.size > 0) {
      chosen.clear();
      return;
    }
    setBusy(true);
    try {
      let now = roll;
      for (let gap = now.gap(0, now.rows.length); gap; gap = now.gap(0, now.rows.length)) {
        const { cursor, skip } = now.anchor(gap.at);
        const found = await part(filter, cursor, skip, 200);
        if (found.items.length === 0) break;
        now = now.filled(gap.at, found);
        client.setQueryData(listKey(filter), now);
      }
      chosen.toggle(now.ids(), true);
    } catch (error) {
      tell(error, t.problems);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="contacts-row" role="presentation">
      {mayAct ? (
        <span role="columnheader" class="contacts-tick" title={tooMany ? t.selectAllTooMany : undefined}>
          <input
            type="checkbox"
            aria-label={tooMany ? t.selectAllTooMany : t.selectAll}
            checked={all}
            indeterminate={chosen.ids.size > 0 && !all}
            disabled={busy || (tooMany && chosen.ids.size === 0)}
            onChange={() => void selectAll()}
          />
        </span>
      ) : (
        <span role="columnheader" class="contacts-tick" aria-label="–" />
      )}
      <span role="columnheader" class="contacts-name">{t.columns.name}</span>
      <span role="columnheader" class="contacts-phone">{t.columns.phone}</span>
      <span role="columnheader" class="contacts-state">{t.columns.state}</span>
      <span role="columnheader" class="contacts-added">{t.columns.added}</span>
    </div>
  );
}

function Line({ line, isChosen, onToggle }: { line: ContactLine | undefined; isChosen: boolean; onToggle: ((range: boolean) => void) | undefined }) {
  const t = useTexts(contacts);
  if (!line) {
    return (
      <div class="contacts-row" role="presentation">
        <span role="gridcell" class="contacts-tick" />
        <span role="gridcell" class="contacts-name"><i class="bone" aria-hidden="true" /></span>
        <span role="gridcell" class="contacts-phone"><i class="bone" aria-hidden="true" /></span>
        <span role="gridcell" class="contacts-state" />
        <span role="gridcell" class="contacts-added" />
      </div>
    );
  }
  const who = line.name ?? line.phone;
  return (
    <div class="contacts-row" role="presentation">
      <span role="gridcell" class="contacts-tick" onClick={(event) => event.stopPropagation()}>
        {onToggle && (
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={t.select(who)}
            checked={isChosen}
            disabled={isDraft(line)}
            onClick={(event) => onToggle(event.shiftKey)}
          />
        )}
      </span>
      <span role="gridcell" class={line.name ? "contacts-name" : "contacts-name muted"}>{line.name ?? t.noName}</span>
      <span role="gridcell" class="contacts-phone tabular">{line.phone}</span>
      <span role="gridcell" class="contacts-state">
        {isDraft(line) ? <Badge tone="busy">{t.onItsWay}</Badge> : line.opted_out_at ? <Badge tone="warn">{t.stateOut}</Badge> : <span class="muted contacts-plain">{t.stateIn}</span>}
      </span>
      <span role="gridcell" class="contacts-added muted">{day(line.created_at)}</span>
    </div>
  );
}
