import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { remove } from "~/api/client";
import { confirm } from "~/parts/dialog";
import { Bone, Empty, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify, notifyRefusal } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { campaign, keys } from "~/queries/campaigns";
import { type Params, go } from "~/router";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Audience } from "./audience";
import { EMPTY, type Form, formOf } from "./form";
import { Launch } from "./launch";
import { Messages } from "./messages";
import { Pace } from "./pace";
import { type Draft, useDraft } from "./saving";
import { Trial } from "./trial";
import { draft as texts } from "./texts";
import "./page.css";

const STEPS = { audience: Audience, messages: Messages, pace: Pace, test: Trial, launch: Launch };
type Step = keyof typeof STEPS;
const ORDER = Object.keys(STEPS) as Step[];

/** Write a campaign, from its people to its launch. */
export default function Write({ params: { id } }: { params: Params }) {
  return id ? <Existing id={id} /> : <Steps first={EMPTY} id={null} />;
}

function Existing({ id }: { id: string }) {
  const t = useTexts(texts);
  const { data, error, refetch } = useQuery(campaign(id));
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <Bone kind="block" />;
  if (data.status !== "draft" && data.status !== "scheduled") {
    return (
      <>
        <PageHead title={data.name} />
        <Empty title={t.notEditable}>
          <a class="button button-main" href={`/campaigns/${id}`}>
            {t.open}
          </a>
        </Empty>
      </>
    );
  }
  return <Steps first={formOf(data)} id={id} />;
}

function Steps({ first, id }: { first: Form; id: string | null }) {
  const t = useTexts(texts);
  const draft = useDraft(first, id);
  const [step, setStep] = useState<Step>("audience");
  const body = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current === step) return;
    shown.current = step;
    body.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [step]);
  const at = ORDER.indexOf(step);
  const Shown = STEPS[step];
  const before = ORDER[at - 1];
  const after = ORDER[at + 1];
  return (
    <>
      <PageHead title={draft.form.name.trim() || t.titleNew} lead={<Kept draft={draft} />}>
        {draft.id && <Remove id={draft.id} />}
      </PageHead>
      <nav aria-label={t.stepsLabel}>
        <ol class="steps">
          {ORDER.map((one, index) => (
            <li key={one}>
              <button aria-current={one === step ? "step" : undefined} onClick={() => setStep(one)}>
                <span aria-hidden="true">{index + 1}</span>
                {t.steps[one]}
              </button>
            </li>
          ))}
        </ol>
      </nav>
      {draft.refusal && <Trouble error={draft.refusal} />}
      <div ref={body} tabIndex={-1} role="group" aria-label={t.steps[step]} class="step">
        <Shown draft={draft} />
      </div>
      <div class="row row-apart">
        {before ? (
          <button class="button" onClick={() => setStep(before)}>
            <Icon name="back" size={16} />
            {t.previous}
          </button>
        ) : (
          <span />
        )}
        {after && (
          <button class="button button-main" onClick={() => setStep(after)}>
            {t.next}
            <Icon name="next" size={16} />
          </button>
        )}
      </div>
    </>
  );
}

function Kept({ draft }: { draft: Draft }) {
  const t = useTexts(texts);
  return <span role="status">{draft.saving ? t.savingNow : draft.id ? t.saved : t.notYet}</span>;
}

function Remove({ id }: { id: string }) {
  const t = useTexts(texts);
  const words = useTexts(common);
  const client = useQueryClient();
  async function ask(): Promise<void> {
    const sure = await confirm({ title: t.removeTitle, consequence: <p>{t.removeConsequence}</p>, action: words.act.remove, danger: true });
    if (!sure) return;
    try {
      await remove("/api/campaigns/{campaign_id}", { path: { campaign_id: id } });
      client.removeQueries({ queryKey: keys.campaign(id) });
      void client.invalidateQueries({ queryKey: keys.campaigns });
      notify("done", t.removed);
      go("/campaigns");
    } catch (error) {
      notifyRefusal(error);
    }
  }
  return (
    <button class="button" onClick={() => void ask()}>
      {t.remove}
    </button>
  );
}
