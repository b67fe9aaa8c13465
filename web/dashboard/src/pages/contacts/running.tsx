import { useQuery } from "@tanstack/preact-query";
import type { Wire } from "~/api/client";
import { number } from "~/format";
import { BoneRows, Card, Figure } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { importState, isOver } from "~/queries/contact-list";
import { useTexts } from "~/texts/language";
import { contacts } from "./texts";

type State = Wire<"ImportState">;

/** How far an import is, live, and which rows it rejected and why. */
export function Running({ id, busy, onImport }: { id: string; busy: boolean; onImport: (() => void) | undefined }) {
  const t = useTexts(contacts);
  const { data, error, refetch } = useQuery(importState(id));
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <Card><BoneRows many={3} /></Card>;
  return (
    <>
      <Card title={<span role="status">{titleOf(data, t)}</span>} acts={<span class="muted fine">{data.filename}</span>}>
        <div class="stack" data-import={data.state}>
          {data.state === "failed" && (
            <div class="trouble" role="alert">
              <Icon name="alert" />
              <div>
                <p>{data.why}</p>
                <p class="muted">{t.files.nothingLost}</p>
              </div>
            </div>
          )}
          <dl class="figures">
            <Figure label={t.files.rows} value={number(data.rows)} />
            <Figure label={data.dry_run ? t.files.wouldCreate : t.files.created} value={number(data.created)} />
            <Figure label={data.dry_run ? t.files.wouldUpdate : t.files.updated} value={number(data.updated)} />
            <Figure label={t.files.unchanged} value={number(data.unchanged)} />
            <Figure label={t.files.rejected} value={number(data.rejected)} {...(data.rejected > 0 ? { tone: "bad" as const } : {})} />
          </dl>
          {data.state === "completed" && (
            <div class="row">
              {data.dry_run && onImport && (
                <button class="button button-main" disabled={busy} onClick={onImport}>
                  {t.files.startNow}
                </button>
              )}
              {!data.dry_run && (
                <a class="button button-main" href="/contacts">
                  {t.files.showContacts}
                </a>
              )}
            </div>
          )}
        </div>
      </Card>
      {data.rejected > 0 && isOver(data.state) && <Errors state={data} />}
    </>
  );
}

function titleOf(state: State, t: ReturnType<typeof contacts.in>): string {
  if (state.state === "failed") return t.files.failed;
  if (state.state === "completed") return state.dry_run ? t.files.checked : t.files.done;
  return `${state.dry_run ? t.files.checking : t.files.running} …`;
}

function Errors({ state }: { state: State }) {
  const t = useTexts(contacts);
  return (
    <Card
      flush
      title={t.files.errors}
      acts={
        <a class="button button-small" href={`/api/imports/${state.id}/errors`} download>
          <Icon name="download" size={16} />
          {t.files.errorsFile}
        </a>
      }
    >
      <p class="muted fine import-note">{t.files.errorsText(number(state.errors.length), number(state.rejected))}</p>
      <div class="table-wrap import-errors" role="region" aria-label={t.files.errors} tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col" class="number">{t.files.line}</th>
              <th scope="col">{t.files.column}</th>
              <th scope="col">{t.files.value}</th>
              <th scope="col">{t.files.reason}</th>
            </tr>
          </thead>
          <tbody>
            {state.errors.map((row, index) => (
              <tr key={index}>
                <td class="number">{number(row.line)}</td>
                <td>{row.column ?? <span class="muted">{t.files.wholeRow}</span>}</td>
                <td class="tabular">{row.value ?? ""}</td>
                <td>{row.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
