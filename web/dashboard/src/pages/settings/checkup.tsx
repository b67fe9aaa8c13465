import { useState } from "preact/hooks";
import { type Wire, get, post } from "~/api/client";
import { confirm } from "~/parts/dialog";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import type { Sender } from "~/queries/service";
import { useTexts } from "~/texts/language";
import { settings } from "./texts";

/** Ask the gateway what a campaign of this number would lack, and let it register the webhook. */
export function CheckUp({ sender }: { sender: Sender }) {
  const t = useTexts(settings);
  const [busy, setBusy] = useState<"checkup" | "webhook" | null>(null);
  const [found, setFound] = useState<Wire<"Checkup"> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const path = { sender_id: sender.id };

  async function ask(what: "checkup" | "webhook"): Promise<void> {
    setBusy(what);
    setError(null);
    try {
      const told = await (what === "checkup"
        ? get("/api/senders/{sender_id}/checkup", { path })
        : post("/api/senders/{sender_id}/webhook", { path }));
      setFound(told);
      if (what === "webhook" && told.findings.some((one) => one.code === "webhook_complete")) notify("done", t.senders.registered);
    } catch (refused) {
      setError(refused);
    } finally {
      setBusy(null);
    }
  }

  async function register(): Promise<void> {
    const sure = await confirm({ title: t.senders.registerTitle, consequence: <p>{t.senders.registerText}</p>, action: t.senders.register });
    if (sure) await ask("webhook");
  }

  return (
    <div class="stack checkup" aria-busy={busy !== null}>
      {error !== null && <Worded error={error} problems={t.problems} />}
      {found && (
        <ul class="findings" role="status" data-checkup={found.ok ? "fine" : "wrong"}>
          <li>
            <b>{found.ok ? t.senders.fine : t.senders.notFine}</b>
          </li>
          {found.findings.map((one) => (
            <Finding key={one.subject} finding={one} />
          ))}
        </ul>
      )}
      <div class="row">
        <button class="button" disabled={busy !== null} aria-label={t.senders.checkUpOf(sender.name)} onClick={() => void ask("checkup")}>
          <Icon name="shield" />
          {busy === "checkup" ? t.senders.checking : t.senders.checkUp}
        </button>
        <button class="button" disabled={busy !== null} onClick={() => void register()}>
          {busy === "webhook" ? t.senders.registering : t.senders.register}
        </button>
      </div>
    </div>
  );
}

function Finding({ finding }: { finding: Wire<"CheckupLine"> }) {
  const t = useTexts(settings);
  const [what, remedy] = t.senders.findings[finding.code] ?? [finding.text, finding.remedy];
  const tone = finding.ok === null ? "unknown" : finding.ok ? "fine" : "wrong";
  return (
    <li class={`finding finding-${tone}`}>
      <Icon name={finding.ok === null ? "info" : finding.ok ? "check" : "alert"} />
      <div>
        <p>{what}</p>
        {!finding.ok && remedy && <p class="muted fine">{remedy}</p>}
        {finding.ok === false && <p class="muted fine finding-said">{finding.text}</p>}
      </div>
    </li>
  );
}
