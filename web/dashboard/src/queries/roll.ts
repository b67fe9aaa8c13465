import type { Wire } from "~/api/client";

export type ContactLine = Wire<"ContactLine">;

/** Rows that one request brings. */
export const PAGE = 100;
const MOST = 200;

interface Part {
  items: ContactLine[];
  /** Whether there is anything behind them. */
  more: boolean;
}

/** From where a request reads on: a known contact, and how many to pass over behind it. */
export interface Anchor {
  cursor: string | null;
  skip: number;
}

/**
 * A list of contacts as long as it is, with the rows that were fetched so far. It is never changed: every method
 * returns another one. Not a plain array, so that the cache does not compare 200,000 rows at every change.
 */
export class Roll {
  readonly rows: readonly (ContactLine | undefined)[];
  /** Whether the length is known; else there is more behind the end than is shown. */
  readonly whole: boolean;

  private constructor(rows: (ContactLine | undefined)[], whole: boolean) {
    this.rows = rows;
    this.whole = whole;
  }

  /** Begin one: the first part, and how many there are, where that is known. */
  static of(first: Part, total: number | null): Roll {
    const empty = new Roll(new Array<undefined>(total ?? 0).fill(undefined), total !== null);
    return empty.filled(0, first);
  }

  /** Put a part where it belongs. What the service said last about the end counts. */
  filled(at: number, { items, more }: Part): Roll {
    const rows = [...this.rows];
    const end = at + items.length;
    while (rows.length < at) rows.push(undefined);
    for (const [index, line] of items.entries()) rows[at + index] = line;
    if (!more) rows.length = end;
    else if (rows.length <= end) {
      for (let missing = 0; missing < PAGE; missing++) rows.push(undefined);
      return new Roll(rows, false);
    }
    return new Roll(rows, this.whole || !more);
  }

  /** Where reading has to begin for the row at `at`: behind the nearest row that is known. */
  anchor(at: number): Anchor {
    for (let before = at - 1; before >= 0; before--) {
      const line = this.rows[before];
      if (line && !isDraft(line)) return { cursor: line.id, skip: at - before - 1 };
    }
    return { cursor: null, skip: at - this.rows.filter((line) => line && isDraft(line)).length };
  }

  /** The first rows missing between two places, as many as one request may bring. */
  gap(from: number, to: number): { at: number; many: number } | null {
    const last = Math.min(to, this.rows.length);
    for (let at = Math.max(0, from); at < last; at++) {
      if (this.rows[at]) continue;
      return { at, many: Math.min(MOST, Math.max(PAGE, last - at)) };
    }
    return null;
  }

  /** Find a row by its id; -1 where it was not fetched. */
  place(id: string): number {
    return this.rows.findIndex((line) => line?.id === id);
  }

  /** With one more row, at the top or where it stood before. */
  with(line: ContactLine, at = 0): Roll {
    const rows = [...this.rows];
    rows.splice(Math.min(at, rows.length), 0, line);
    return new Roll(rows, this.whole);
  }

  /** Without these. */
  without(ids: ReadonlySet<string>): Roll {
    return new Roll(this.rows.filter((line) => !line || !ids.has(line.id)), this.whole);
  }

  /** With something changed in these, or one row in the place of another. */
  changed(ids: ReadonlySet<string>, change: Partial<ContactLine>): Roll {
    return new Roll(this.rows.map((line) => (line && ids.has(line.id) ? { ...line, ...change } : line)), this.whole);
  }

  /** The ids of all rows between two places that were fetched and are kept by the service. */
  ids(from = 0, to = this.rows.length): string[] {
    return this.rows.slice(from, to).flatMap((line) => (line && !isDraft(line) ? [line.id] : []));
  }
}

const DRAFT = "draft-";
let made = 0;

/** A row shown before the service has it. */
export function draftLine(fields: Pick<ContactLine, "phone" | "name">): ContactLine {
  return { ...fields, id: `${DRAFT}${++made}`, opted_out_at: null, created_at: new Date().toISOString() };
}

/** Whether a row is on its way to the service. */
export const isDraft = (line: ContactLine): boolean => line.id.startsWith(DRAFT);
