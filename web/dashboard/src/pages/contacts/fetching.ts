import { useQueryClient } from "@tanstack/preact-query";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Filter, listKey, look, part } from "~/queries/contact-list";
import type { Roll } from "~/queries/roll";

/** Rows fetched ahead of those on the screen. */
const AHEAD = 40;
/** A scroll bar on its way passes many rows that nobody wants to see. */
const SETTLED_MS = 40;

/** Fetch whatever is looked at and missing, one request at a time, always for where the screen is by then. */
export function useFetching(filter: Filter, roll: Roll) {
  const client = useQueryClient();
  const seen = useRef({ from: 0, to: 0 });
  const busy = useRef(false);
  const gone = useRef(false);
  const [error, setError] = useState<unknown>(null);

  const fetchMissing = useCallback((): void => {
    if (busy.current || gone.current) return;
    const now = client.getQueryData<Roll>(listKey(filter));
    const gap = now?.gap(seen.current.from - AHEAD, seen.current.to + AHEAD);
    if (!now || !gap) return;
    busy.current = true;
    const { cursor, skip } = now.anchor(gap.at);
    const done = (): void => {
      busy.current = false;
    };
    setTimeout(() => {
      const latest = client.getQueryData<Roll>(listKey(filter));
      const wanted = latest?.gap(seen.current.from - AHEAD, seen.current.to + AHEAD);
      if (gone.current || !latest || !wanted) {
        done();
        return;
      }
      const from = wanted.at === gap.at ? { cursor, skip } : latest.anchor(wanted.at);
      part(filter, from.cursor, from.skip, wanted.many)
        .then((found) => {
          client.setQueryData<Roll>(listKey(filter), (current) => current?.filled(placeIn(current, from, wanted.at), found));
          setError(null);
          done();
          fetchMissing();
        })
        .catch((refused: unknown) => {
          setError(refused);
          done();
        });
    }, SETTLED_MS);
  }, [client, filter]);

  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  useEffect(fetchMissing, [fetchMissing, roll]);
  const onLook = useCallback(
    (from: number, to: number) => {
      seen.current = { from, to };
      look(filter, from, to);
      fetchMissing();
    },
    [filter, fetchMissing],
  );
  return { onLook, error, again: fetchMissing };
}

/** Where a part belongs by now: rows may have come or gone above it while it was on its way. */
function placeIn(roll: Roll, { cursor, skip }: { cursor: string | null; skip: number }, at: number): number {
  if (cursor === null) return at;
  const anchor = roll.place(cursor);
  return anchor < 0 ? at : anchor + 1 + skip;
}
