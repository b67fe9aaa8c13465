import { remember, remembered, store } from "~/store";

/** Single ones read beyond the mark; older ones are forgotten. */
const MOST = 500;

interface Read {
  /** Everything up to this id was read: ids are ordered by time. */
  upTo: string;
  also: string[];
}

/** What this browser has shown to somebody. */
export const read = store<Read>(kept());

function kept(): Read {
  try {
    const known = JSON.parse(remembered("replies") ?? "null") as Partial<Read> | null;
    if (typeof known?.upTo === "string" && Array.isArray(known.also)) return { upTo: known.upTo, also: known.also.map(String) };
  } catch {
    // what cannot be read was not read
  }
  return { upTo: "", also: [] };
}

/** Whether a reply was read. */
export const isRead = (id: string, { upTo, also }: Read): boolean => id <= upTo || also.includes(id);

/** Mark one. */
export function markRead(id: string): void {
  const now = read.get();
  if (!isRead(id, now)) keep({ ...now, also: [...now.also, id].slice(-MOST) });
}

/** Mark this one and everything before it. */
export function markReadUpTo(id: string): void {
  const now = read.get();
  if (id > now.upTo) keep({ upTo: id, also: now.also.filter((one) => one > id) });
}

function keep(what: Read): void {
  read.set(what);
  remember("replies", JSON.stringify(what));
}
