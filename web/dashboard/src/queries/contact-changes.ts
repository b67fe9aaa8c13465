import type { QueryClient, QueryKey } from "@tanstack/preact-query";
import { type Wire, patch, post, remove } from "~/api/client";
import { type Filter, contact } from "./contact-list";
import { contactStats } from "./contacts";
import { type ContactLine, Roll, draftLine } from "./roll";

export type Contact = Wire<"Contact">;
export type NewContact = Wire<"NewContact">;
export type ContactChange = Wire<"ContactChange">;
export type Stats = Wire<"ContactStats">;
export type BulkOrder = Wire<"BulkOrder">;

/*
 * Every change is on the screen before the service is asked. What it refuses is taken back: the opposite change is
 * made, not an older picture shown, because other rows may have come or changed meanwhile.
 */

/** Add one. Rejects with the Refusal once it has gone from the screen again. */
export async function createContact(client: QueryClient, wanted: NewContact): Promise<Contact> {
  hold(client);
  const line = draftLine({ phone: wanted.phone, name: wanted.name ?? null });
  eachRoll(client, (roll, filter) => (fits(filter, wanted) ? roll.with(line) : roll));
  count(client, { total: 1, reachable: 1 });
  try {
    const made = await post("/api/contacts", { body: wanted });
    client.setQueryData(contact(made.id).queryKey, made);
    eachRoll(client, (roll) => roll.changed(new Set([line.id]), lineOf(made)));
    touched(client, { categories: wanted.category_ids?.length !== 0, searches: true });
    return made;
  } catch (error) {
    eachRoll(client, (roll) => roll.without(new Set([line.id])));
    count(client, { total: -1, reachable: -1 });
    throw error;
  }
}

/** Change one. */
export async function changeContact(client: QueryClient, before: Contact, change: ContactChange): Promise<void> {
  hold(client);
  const ids = new Set([before.id]);
  const after = { ...before, ...withoutOptOut(change), opted_out_at: optedOutAt(before, change.opted_out) };
  const lay = (shown: Contact): void => {
    client.setQueryData(contact(before.id).queryKey, shown);
    eachRoll(client, (roll) => roll.changed(ids, { name: shown.name, opted_out_at: shown.opted_out_at }));
  };
  const moved = Number(after.opted_out_at !== null) - Number(before.opted_out_at !== null);
  lay(after);
  count(client, { opted_out: moved, reachable: -moved });
  try {
    lay(await patch("/api/contacts/{contact_id}", { path: { contact_id: before.id }, body: change }));
    touched(client, { stats: moved !== 0, searches: change.name !== undefined || moved !== 0 });
  } catch (error) {
    lay(before);
    count(client, { opted_out: -moved, reachable: moved });
    throw error;
  }
}

/** Erase one, for good. */
export async function eraseContact(client: QueryClient, line: ContactLine): Promise<void> {
  hold(client);
  const back = takeOut(client, [line]);
  try {
    await remove("/api/contacts/{contact_id}", { path: { contact_id: line.id } });
    client.removeQueries({ queryKey: contact(line.id).queryKey });
    touched(client, { categories: true });
  } catch (error) {
    back();
    throw error;
  }
}

/** Do one thing to many; returns how many it changed. */
export async function changeMany(client: QueryClient, order: BulkOrder, lines: ContactLine[]): Promise<number> {
  hold(client);
  const back = order.action === "delete" ? takeOut(client, lines) : optMany(client, order.action, lines);
  try {
    const { changed } = await post("/api/contacts/bulk", { body: order });
    for (const id of order.ids) void client.invalidateQueries({ queryKey: contact(id).queryKey });
    touched(client, {
      stats: order.action !== "add_category" && order.action !== "remove_category",
      categories: order.action.endsWith("category") || order.action === "delete",
      searches: true,
    });
    return changed;
  } catch (error) {
    back();
    // Done 500 at a time: some of it may have been done.
    void client.invalidateQueries({ queryKey: ["contacts"] });
    void client.invalidateQueries({ queryKey: contactStats().queryKey });
    throw error;
  }
}

function takeOut(client: QueryClient, lines: ContactLine[]): () => void {
  const ids = new Set(lines.map((line) => line.id));
  const stood = new Map<string, Map<string, number>>();
  eachRoll(client, (roll, _, key) => {
    stood.set(JSON.stringify(key), new Map(lines.map((line) => [line.id, roll.place(line.id)])));
    return roll.without(ids);
  });
  const gone = counted(lines);
  count(client, negative(gone));
  return () => {
    eachRoll(client, (roll, _, key) => {
      const places = stood.get(JSON.stringify(key));
      const back = lines.map((line) => ({ line, at: places?.get(line.id) ?? -1 })).filter(({ at }) => at >= 0);
      return back.sort((one, other) => one.at - other.at).reduce((into, { line, at }) => into.with(line, at), roll);
    });
    count(client, gone);
  };
}

function optMany(client: QueryClient, action: BulkOrder["action"], lines: ContactLine[]): () => void {
  if (action !== "opt_out" && action !== "opt_in") return () => undefined;
  const out = action === "opt_out";
  const moved = lines.filter((line) => (line.opted_out_at === null) === out);
  const at = out ? new Date().toISOString() : null;
  const step = out ? moved.length : -moved.length;
  eachRoll(client, (roll) => roll.changed(new Set(moved.map((line) => line.id)), { opted_out_at: at }));
  count(client, { opted_out: step, reachable: -step });
  return () => {
    for (const line of moved) eachRoll(client, (roll) => roll.changed(new Set([line.id]), { opted_out_at: line.opted_out_at }));
    count(client, { opted_out: -step, reachable: step });
  };
}

/** Stop what is being read: it would be laid over the change. */
function hold(client: QueryClient): void {
  for (const key of [["contacts"], contactStats().queryKey]) {
    void client.cancelQueries({ queryKey: key, predicate: ({ state }) => state.data !== undefined });
  }
}

function touched(client: QueryClient, what: { stats?: boolean; categories?: boolean; searches?: boolean }): void {
  if (what.stats !== false) void client.invalidateQueries({ queryKey: contactStats().queryKey });
  if (what.categories) void client.invalidateQueries({ queryKey: ["categories"] });
  if (what.searches) {
    void client.invalidateQueries({ queryKey: ["contacts"], predicate: ({ queryKey }) => isNarrow(queryKey[1] as Filter) });
  }
}

function eachRoll(client: QueryClient, change: (roll: Roll, filter: Filter, key: QueryKey) => Roll): void {
  for (const [key, roll] of client.getQueriesData({ queryKey: ["contacts"] })) {
    if (roll instanceof Roll) client.setQueryData(key, change(roll, key[1] as Filter, key));
  }
}

function count(client: QueryClient, by: Partial<Stats>): void {
  client.setQueryData<Stats>(contactStats().queryKey, (known) =>
    known && {
      total: known.total + (by.total ?? 0),
      reachable: known.reachable + (by.reachable ?? 0),
      opted_out: known.opted_out + (by.opted_out ?? 0),
    },
  );
}

function counted(lines: ContactLine[]): Stats {
  const out = lines.filter((line) => line.opted_out_at !== null).length;
  return { total: lines.length, reachable: lines.length - out, opted_out: out };
}

const negative = ({ total, reachable, opted_out }: Stats): Stats => ({ total: -total, reachable: -reachable, opted_out: -opted_out });
const isNarrow = ({ q, category, optedOut }: Filter): boolean => q !== "" || category !== null || optedOut !== null;
const lineOf = ({ id, phone, name, opted_out_at, created_at }: Contact): ContactLine => ({ id, phone, name, opted_out_at, created_at });

function fits(filter: Filter, wanted: NewContact): boolean {
  return filter.q === "" && filter.optedOut !== true && (filter.category === null || !!wanted.category_ids?.includes(filter.category));
}

function withoutOptOut({ opted_out: _, ...rest }: ContactChange): Partial<Contact> {
  return rest as Partial<Contact>;
}

function optedOutAt(before: Contact, wanted: boolean | undefined): string | null {
  if (wanted === undefined) return before.opted_out_at;
  return wanted ? (before.opted_out_at ?? new Date().toISOString()) : null;
}
