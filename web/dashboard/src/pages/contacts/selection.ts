import { useEffect, useMemo, useState } from "preact/hooks";
import type { Filter } from "~/queries/contact-list";

/** The service takes so many at once. */
export const MOST_SELECTED = 10_000;

/** Which contacts were chosen. */
export interface Selection {
  ids: ReadonlySet<string>;
  toggle: (ids: string[], on: boolean) => void;
  clear: () => void;
}

/** Hold a selection; another filter begins a new one. */
export function useSelection(filter: Filter): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setIds(new Set()), [filter.q, filter.category, filter.optedOut]);
  return useMemo(
    () => ({
      ids,
      toggle: (some, on) =>
        setIds((before) => {
          const after = new Set(before);
          for (const id of some) {
            if (!on) after.delete(id);
            else if (after.size < MOST_SELECTED) after.add(id);
          }
          return after;
        }),
      clear: () => setIds(new Set()),
    }),
    [ids],
  );
}
