import { useInfiniteQuery } from "@tanstack/preact-query";
import { number, shortMoment } from "~/format";
import { Badge, BoneRows, Card, type Tone } from "~/parts/frame";
import { Trouble } from "~/parts/problem";
import { imports } from "~/queries/contact-list";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { contacts } from "./texts";

const TONES: Record<string, Tone> = { pending: "neutral", running: "busy", completed: "good", failed: "bad" };

/** Files that were imported before; each opens with its figures and errors. */
export function History() {
  const t = useTexts(contacts);
  const words = useTexts(common);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(imports());
  const lines = data?.pages.flatMap((page) => page.items);
  return (
    <Card flush title={t.files.history}>
      {error && !lines && <Trouble error={error} again={() => void refetch()} />}
      {!lines && !error && <BoneRows many={3} />}
      {lines?.length === 0 && <p class="muted import-note">{t.files.noHistory}</p>}
      {lines && lines.length > 0 && (
        <div class="table-wrap" role="region" aria-label={t.files.history} tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t.files.file}</th>
                <th scope="col">{t.columns.state}</th>
                <th scope="col" class="number">{t.files.rows}</th>
                <th scope="col" class="number">{t.files.created}</th>
                <th scope="col" class="number">{t.files.rejected}</th>
                <th scope="col">{t.files.when}</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={line.id}>
                  <td>
                    <a class="cell" href={`/contacts/import?id=${line.id}`}>
                      {line.filename}
                    </a>
                    {line.dry_run && <span class="muted fine"> · {t.files.dry}</span>}
                  </td>
                  <td>
                    <Badge tone={TONES[line.state] ?? "neutral"}>{t.files.states[line.state] ?? line.state}</Badge>
                  </td>
                  <td class="number">{number(line.rows)}</td>
                  <td class="number">{number(line.created)}</td>
                  <td class="number">{number(line.rejected)}</td>
                  <td class="muted fine">{shortMoment(line.created_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hasNextPage && (
        <button class="button import-note" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {words.act.more}
        </button>
      )}
    </Card>
  );
}
