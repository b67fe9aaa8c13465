import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { post } from "~/api/client";
import { number } from "~/format";
import { Dialog, confirm } from "~/parts/dialog";
import { Icon } from "~/parts/icon";
import { Menu } from "~/parts/menu";
import { notify, notifyRefusal } from "~/parts/notice";
import { type Campaign, type Progress, keys } from "~/queries/campaigns";
import { go } from "~/router";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { campaign as texts } from "./texts";

/** What may be done with a campaign now; each says what follows before it is done. */
export function Acts({ campaign, progress }: { campaign: Campaign; progress: Progress }) {
  const t = useTexts(texts);
  const mayAct = useMay("operator");
  const [pausing, setPausing] = useState(false);
  const moves = useMoves(campaign);
  const { status } = progress;
  const left = number(progress.pending);
  const path = `/api/campaigns/${campaign.id}/report?format=csv`;
  const running = status === "sending" || status === "waiting";
  const ended = status === "completed" || status === "cancelled";

  async function resume(): Promise<void> {
    const sure = await confirm({ title: t.resumeTitle(campaign.name), consequence: <p>{t.resumeConsequence(left)}</p>, action: t.act.resume });
    if (sure) moves.resume.mutate();
  }
  async function cancel(): Promise<void> {
    const consequence = <p>{t.cancelConsequence(left)}</p>;
    const sure = await confirm({ title: t.cancelTitle(campaign.name), consequence, action: t.act.cancel, danger: true });
    if (sure) moves.cancel.mutate();
  }
  async function retry(): Promise<void> {
    const consequence = <p>{t.retryConsequence(number(progress.send_failed))}</p>;
    if (await confirm({ title: t.retryTitle, consequence, action: t.act.retry })) moves.retry.mutate();
  }

  return (
    <>
      {mayAct && (status === "draft" || status === "scheduled") && (
        <a class="button" href={`/campaigns/${campaign.id}/edit`}>
          <Icon name="edit" size={16} />
          {t.act.edit}
        </a>
      )}
      {mayAct && running && (
        <button class="button" disabled={moves.busy} onClick={() => setPausing(true)}>
          <Icon name="pause" size={16} />
          {t.act.pause}
        </button>
      )}
      {mayAct && status === "paused" && (
        <button class="button button-main" disabled={moves.busy} onClick={() => void resume()}>
          <Icon name="play" size={16} />
          {t.act.resume}
        </button>
      )}
      <a class="button" href={path} download>
        <Icon name="download" size={16} />
        {t.act.csv}
      </a>
      {mayAct && (
        <Menu
          label={t.act.more}
          entries={[
            { label: t.act.duplicate, act: () => moves.duplicate.mutate() },
            ...(progress.send_failed > 0 ? [{ label: t.act.retry, act: () => void retry() }] : []),
            ...(ended ? [{ label: t.act.notReached, act: () => moves.notReached.mutate() }] : []),
            ...(ended ? [] : [{ label: t.act.cancel, act: () => void cancel(), danger: true }]),
          ]}
        />
      )}
      {pausing && (
        <Pause
          campaign={campaign}
          left={left}
          onClose={() => setPausing(false)}
          onPause={(scope) => {
            setPausing(false);
            moves.pause.mutate(scope);
          }}
        />
      )}
    </>
  );
}

type Scope = "all" | "message_1";

function Pause(props: { campaign: Campaign; left: string; onClose: () => void; onPause: (scope: Scope) => void }) {
  const t = useTexts(texts);
  const words = useTexts(common);
  const [scope, setScope] = useState<Scope>("all");
  return (
    <Dialog title={t.pauseTitle(props.campaign.name)} onClose={props.onClose}>
      <div class="dialog-body">
        <p>{t.pauseConsequence(props.left)}</p>
        <label class="check">
          <input type="radio" name="scope" checked={scope === "all"} onChange={() => setScope("all")} />
          <span>
            {t.pauseAll}
            <span class="help block">{t.pauseAllHelp}</span>
          </span>
        </label>
        <label class="check">
          <input type="radio" name="scope" checked={scope === "message_1"} onChange={() => setScope("message_1")} />
          {t.pauseFirst}
        </label>
      </div>
      <footer class="dialog-foot">
        <button class="button" onClick={props.onClose}>
          {words.act.back}
        </button>
        <button class="button button-main" onClick={() => props.onPause(scope)}>
          {t.act.pause}
        </button>
      </footer>
    </Dialog>
  );
}

/** The moves themselves: the answer goes into the cache, and only what the move touches is asked again. */
function useMoves({ id }: Campaign) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const at = { path: { campaign_id: id } };
  const moved = (said: string) => (now: Campaign) => {
    client.setQueryData(keys.campaign(id), now);
    for (const key of [keys.progress(id), keys.campaigns]) void client.invalidateQueries({ queryKey: key });
    notify("done", said);
  };
  const made = (said: string, draft: Campaign) => {
    void client.invalidateQueries({ queryKey: keys.campaigns });
    notify("done", said);
    go(`/campaigns/${draft.id}/edit`);
  };
  const onError = notifyRefusal;
  const pause = useMutation({
    mutationFn: (scope: Scope) => post("/api/campaigns/{campaign_id}/pause", { ...at, body: { scope } }),
    onSuccess: moved(t.paused),
    onError,
  });
  const resume = useMutation({
    mutationFn: () => post("/api/campaigns/{campaign_id}/resume", at),
    onSuccess: moved(t.resumed),
    onError,
  });
  const cancel = useMutation({
    mutationFn: () => post("/api/campaigns/{campaign_id}/cancel", at),
    onSuccess: moved(t.cancelled),
    onError,
  });
  const retry = useMutation({
    mutationFn: () => post("/api/campaigns/{campaign_id}/retry-failed", at),
    onSuccess: (done) => moved(t.retried(number(done.retried)))(done.campaign),
    onError,
  });
  const duplicate = useMutation({
    mutationFn: () => post("/api/campaigns/{campaign_id}/duplicate", { ...at, body: {} }),
    onSuccess: (draft) => made(t.duplicated, draft),
    onError,
  });
  const notReached = useMutation({
    mutationFn: () => post("/api/campaigns/{campaign_id}/not-reached", { ...at, body: {} }),
    onSuccess: (done) => made(t.notReachedMade(number(done.people)), done.campaign),
    onError,
  });
  return { pause, resume, cancel, retry, duplicate, notReached, busy: pause.isPending || resume.isPending || cancel.isPending };
}
