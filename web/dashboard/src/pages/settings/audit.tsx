import { useInfiniteQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { moment, shortMoment } from "~/format";
import { Field, textOf } from "~/parts/field";
import { Badge, BoneRows, Card, Empty, type Tone } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { type AuditLine, audit } from "~/queries/accounts";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Section } from "./sections";
import { settings } from "./texts";

/** Who did what. */
export default function Audit() {
  const t = useTexts(settings);
  const isAdmin = useMay("admin");
  return (
    <Section name="audit" lead={t.audit.lead}>
      {isAdmin && <List />}
    </Section>
  );
}

function List() {
  const t = useTexts(settings);
  const words = useTexts(common);
  const [asked, setAsked] = useState({ actor: "", action: "" });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(audit(asked.actor, asked.action));
  const lines = data?.pages.flatMap((page) => page.items);

  function filter(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setAsked({ actor: textOf(form, "actor").trim(), action: textOf(form, "action").trim() });
  }

  return (
    <>
      <Card>
        <form class="audit-filter" onSubmit={filter}>
          <Field label={t.audit.who}>
            <input name="actor" maxLength={254} placeholder={t.audit.whoHint} autocomplete="off" />
          </Field>
          <Field label={t.audit.action}>
            <input name="action" maxLength={200} placeholder={t.audit.actionHint} autocomplete="off" />
          </Field>
          <button class="button">{t.audit.filter}</button>
        </form>
      </Card>
      {error && !lines && <Trouble error={error} again={() => void refetch()} />}
      <Card flush>
        {!lines && !error && <BoneRows many={8} />}
        {lines?.length === 0 && (
          <Empty icon="report" title={t.audit.none}>
            <p>{t.audit.noneText}</p>
          </Empty>
        )}
        {lines && lines.length > 0 && (
          <div class="table-wrap" role="region" aria-label={t.sections.audit} tabIndex={0}>
            <table class="table audit">
              <thead>
                <tr>
                  <th scope="col">{t.audit.when}</th>
                  <th scope="col">{t.audit.who}</th>
                  <th scope="col">{t.audit.action}</th>
                  <th scope="col">{t.audit.answer}</th>
                  <th scope="col">{t.audit.detail}</th>
                  <th scope="col">{t.audit.from}</th>
                </tr>
              </thead>
              <tbody>
                {lines.map((line) => (
                  <Row key={line.id} line={line} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      {hasNextPage && (
        <button class="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? words.act.loading : words.act.more}
        </button>
      )}
    </>
  );
}

function toneOf(status: number | null): Tone {
  if (status === null) return "warn";
  return status < 400 ? "good" : "bad";
}

function Row({ line }: { line: AuditLine }) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const roles: Record<string, string | undefined> = words.account.roles;
  const detail = Object.entries(line.detail as Record<string, unknown>).map(([name, value]) => `${name}: ${String(value)}`);
  return (
    <tr>
      <td class="tabular fine" title={moment(line.at)}>
        {shortMoment(line.at)}
      </td>
      <td>
        {line.actor}
        {line.role && <span class="muted fine"> {roles[line.role] ?? line.role}</span>}
      </td>
      <td>
        <code title={line.path}>{line.action}</code>
      </td>
      <td>
        <Badge tone={toneOf(line.status)}>{line.status ?? t.audit.unanswered}</Badge>
      </td>
      <td class="muted fine audit-detail">{detail.join(", ")}</td>
      <td class="muted fine tabular">{line.address}</td>
    </tr>
  );
}
