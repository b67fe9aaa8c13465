import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { patch, post } from "~/api/client";
import { type Refusal, asRefusal } from "~/api/problem";
import { keys } from "~/queries/campaigns";
import { type Form, bodyOf, missing } from "./form";
import { isBroken } from "./template";

/** Typing rests so long before it is kept. */
const REST = 350;

/** A draft that keeps itself while it is typed: made once it can be, changed from then on, one request at a time. */
export function useDraft(first: Form, known: string | null) {
  const client = useQueryClient();
  const [form, setForm] = useState(first);
  const [id, setId] = useState(known);
  const [version, setVersion] = useState(0);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [saving, setSaving] = useState(false);
  const state = useRef({ newest: form, kept: known ? JSON.stringify(bodyOf(first)) : "", id: known, running: null as Promise<void> | null });
  state.current.newest = form;

  const keepOnce = useCallback(async (): Promise<void> => {
    const now = state.current;
    for (;;) {
      const form = now.newest;
      const body = bodyOf(form);
      const text = JSON.stringify(body);
      if (text === now.kept || missing(form).length > 0 || isBroken(form.message1) || isBroken(form.message2)) return;
      const campaign = now.id
        ? await patch("/api/campaigns/{campaign_id}", { path: { campaign_id: now.id }, body })
        : await post("/api/campaigns", { body });
      now.kept = text;
      client.setQueryData(keys.campaign(campaign.id), campaign);
      void client.invalidateQueries({ queryKey: keys.campaigns });
      if (!now.id) {
        now.id = campaign.id;
        setId(campaign.id);
        // Loading the page again finds the draft; the steps stay as they are.
        history.replaceState(history.state, "", `/campaigns/${campaign.id}/edit${location.search}`);
      }
      setVersion((count) => count + 1);
      setRefusal(null);
    }
  }, [client]);

  /** Keep what is typed now; resolves when it is kept, or was refused. */
  const keep = useCallback(async (): Promise<void> => {
    const now = state.current;
    setSaving(true);
    now.running ??= keepOnce()
      .catch((error: unknown) => setRefusal(asRefusal(error)))
      .finally(() => {
        now.running = null;
        setSaving(false);
      });
    await now.running;
  }, [keepOnce]);

  useEffect(() => {
    const rest = setTimeout(() => void keep(), REST);
    return () => clearTimeout(rest);
  }, [form, keep]);

  const change = useCallback((part: Partial<Form>) => setForm((before) => ({ ...before, ...part })), []);
  return { form, change, id, version, refusal, saving, keep };
}

export type Draft = ReturnType<typeof useDraft>;

/** What a launch would do now; the last answer stays on screen until the next one is here. */
export function usePreview({ id, version }: Pick<Draft, "id" | "version">) {
  return useQuery({
    queryKey: ["preview", id, version],
    queryFn: ({ signal }) => post("/api/campaigns/{campaign_id}/preview", { path: { campaign_id: id ?? "" }, signal }),
    enabled: id !== null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 60_000,
  });
}
