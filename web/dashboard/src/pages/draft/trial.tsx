import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { get, post } from "~/api/client";
import { exactTime } from "~/format";
import { confirm } from "~/parts/dialog";
import { Field } from "~/parts/field";
import { Badge, Card, type Tone } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { useTexts } from "~/texts/language";
import type { Draft } from "./saving";
import { draft as texts } from "./texts";

const TONES: Record<string, Tone> = { sent: "good", delivered: "good", read: "good", failed: "bad", unconfirmed: "warn" };
/** A test that is on its way is looked at so often. */
const LOOK = 1000;

/** The texts to a phone of one's own, before anybody else gets them. */
export function Trial({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const [phone, setPhone] = useState("");
  const [both, setBoth] = useState(draft.form.message2.trim() !== "");
  const hasTwo = draft.form.message2.trim() !== "";
  const id = draft.id ?? "";
  const tests = useQuery({
    queryKey: ["tests", id],
    queryFn: ({ signal }) => get("/api/campaigns/{campaign_id}/tests", { path: { campaign_id: id }, query: { limit: 10 }, signal }),
    enabled: draft.id !== null,
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => ["pending", "sending", "sent"].includes(one.status)) ? LOOK : false,
  });
  const send = useMutation({
    mutationFn: async () => {
      await draft.keep();
      return post("/api/campaigns/{campaign_id}/test", { path: { campaign_id: id }, body: { phone, message_2: both && hasTwo } });
    },
    onSuccess: () => void client.invalidateQueries({ queryKey: ["tests", id] }),
  });
  async function ask(event: Event): Promise<void> {
    event.preventDefault();
    const many = both && hasTwo ? 2 : 1;
    if (await confirm({ title: t.testTitleConfirm, consequence: <p>{t.testConsequence(phone, many)}</p>, action: t.testSend })) send.mutate();
  }
  return (
    <div class="draft-split">
      <Card title={t.testTitle}>
        <form class="stack" onSubmit={(event) => void ask(event)}>
          <p class="fine muted">{t.testText}</p>
          {send.error && <Trouble error={send.error} />}
          <Field label={t.testPhone} help={t.testPhoneHelp}>
            <input type="tel" autocomplete="tel" required value={phone} onInput={(event) => setPhone(event.currentTarget.value)} />
          </Field>
          {hasTwo && (
            <label class="check">
              <input type="checkbox" checked={both} onChange={(event) => setBoth(event.currentTarget.checked)} />
              {t.testBoth}
            </label>
          )}
          <p>
            <button class="button button-main" disabled={!draft.id || send.isPending}>
              {t.testSend}
            </button>
          </p>
        </form>
      </Card>
      <Card>
        {(tests.data?.items.length ?? 0) === 0 && <p class="fine muted">{t.testsNone}</p>}
        <ul class="foretold fine" aria-live="polite">
          {tests.data?.items.map((one) => (
            <li key={one.id}>
              <span class="row row-apart">
                <span class="tabular">
                  {one.phone} · {one.message_type === "message_1" ? t.message1 : t.message2}
                </span>
                <Badge tone={TONES[one.status] ?? "busy"}>{t.testStates[one.status] ?? one.status}</Badge>
              </span>
              <span class="muted block">
                {exactTime(one.created_at)} {one.reason}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
