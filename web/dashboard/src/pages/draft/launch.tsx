import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { patch, post } from "~/api/client";
import { moment, number } from "~/format";
import { confirm } from "~/parts/dialog";
import { Field } from "~/parts/field";
import { Card, Figure } from "~/parts/frame";
import { notify } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { keys } from "~/queries/campaigns";
import { senders } from "~/queries/service";
import { go } from "~/router";
import { useTexts } from "~/texts/language";
import { missing } from "./form";
import { Foretold } from "./foretold";
import { Phone } from "./phone";
import { type Draft, usePreview } from "./saving";
import { draft as texts } from "./texts";

/** The last look, and the launch: now or later. */
export function Launch({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const numbers = useQuery(senders());
  const { data } = usePreview(draft);
  const [later, setLater] = useState(false);
  const [at, setAt] = useState("");
  const [skip, setSkip] = useState(false);
  const first = data?.samples[0];
  const lacking = missing(draft.form);
  const { incomplete = 0, reached = 0 } = data?.audience ?? {};
  const people = skip ? reached - incomplete : reached;
  const sender = numbers.data?.items.find((one) => one.id === draft.form.sender) ?? numbers.data?.items[0];

  const launch = useMutation({
    mutationFn: async () => {
      await draft.keep();
      const path = { campaign_id: draft.id ?? "" };
      await patch("/api/campaigns/{campaign_id}", { path, body: { scheduled_at: later ? new Date(at).toISOString() : null } });
      return post("/api/campaigns/{campaign_id}/send", { path, body: { skip_incomplete: skip } });
    },
    onSuccess: ({ reserved, scheduled_at }) => {
      const id = draft.id ?? "";
      for (const key of [keys.campaigns, keys.campaign(id), keys.progress(id), ["monitoring"]]) void client.invalidateQueries({ queryKey: key });
      notify("done", scheduled_at ? t.scheduledFor(number(reserved)) : t.launched(number(reserved)));
      go(`/campaigns/${id}`);
    },
  });

  async function ask(): Promise<void> {
    const many = number(people);
    const number_ = sender?.name ?? "";
    const consequence = (
      <>
        <p>{later ? t.confirmLater(many, number_, moment(at)) : t.confirmNow(many, number_)}</p>
        <p>{draft.form.message2.trim() ? t.confirmTwo : t.confirmNoTwo}</p>
        <p class="muted">{t.confirmStop}</p>
      </>
    );
    const action = later ? t.schedule : t.launch;
    if (await confirm({ title: t.confirmTitle(draft.form.name), consequence, action })) launch.mutate();
  }

  return (
    <div class="draft-split">
      <Card title={t.launchTitle}>
        <div class="stack">
          {lacking.length > 0 && <p class="hint hint-warn">{t.lackingText(lacking.map((one) => t.lacking[one]).join(", "))}</p>}
          {launch.error && <Trouble error={launch.error} />}
          <dl class="figures">
            <Figure label={t.reached} value={data ? number(people) : "–"} />
            <Figure label={t.sender} value={<span class="figure-text">{sender?.name ?? "–"}</span>} />
          </dl>
          <Phone
            message1={first?.message_1 ?? draft.form.message1}
            message2={first?.message_2 ?? draft.form.message2}
            person={{ name: first?.name ?? null, attributes: {} }}
          />
          {incomplete > 0 && (
            <label class="check">
              <input type="checkbox" checked={skip} onChange={(event) => setSkip(event.currentTarget.checked)} />
              {t.skip(number(incomplete))}
            </label>
          )}
          <div class="row">
            <label class="check">
              <input type="radio" name="when" checked={!later} onChange={() => setLater(false)} />
              {t.whenNow}
            </label>
            <label class="check">
              <input type="radio" name="when" checked={later} onChange={() => setLater(true)} />
              {t.whenLater}
            </label>
          </div>
          {later && (
            <Field label={t.at}>
              <input type="datetime-local" class="short" value={at} onInput={(event) => setAt(event.currentTarget.value)} />
            </Field>
          )}
          <p>
            <button
              class="button button-main"
              disabled={!draft.id || lacking.length > 0 || launch.isPending || (later && !at)}
              onClick={() => void ask()}
            >
              {later ? t.schedule : t.launch}
            </button>
          </p>
        </div>
      </Card>
      <Foretold draft={draft} onTake={(profile) => draft.change({ profile })} />
    </div>
  );
}
