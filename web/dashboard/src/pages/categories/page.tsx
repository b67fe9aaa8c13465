import { useInfiniteQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import type { Wire } from "~/api/client";
import { day, number } from "~/format";
import { confirm } from "~/parts/dialog";
import { BoneRows, Card, Empty, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { tell } from "~/parts/worded";
import { categoryPages, deleteCategory } from "~/queries/categories";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Naming } from "./naming";
import { categories } from "./texts";
import "./page.css";

type Category = Wire<"Category">;

/** The groups of contacts. */
export default function Categories() {
  const t = useTexts(categories);
  const words = useTexts(common);
  const mayAct = useMay("operator");
  const [naming, setNaming] = useState<Category | "new" | null>(null);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(categoryPages());
  const lines = data?.pages.flatMap((page) => page.items);
  return (
    <>
      <PageHead title={t.title} lead={t.lead}>
        {mayAct && (
          <button class="button button-main" onClick={() => setNaming("new")}>
            <Icon name="plus" />
            {t.create}
          </button>
        )}
      </PageHead>
      {error && !lines && <Trouble error={error} again={() => void refetch()} />}
      <Card flush>
        {!lines && !error && <BoneRows />}
        {lines?.length === 0 && (
          <Empty icon="categories" title={t.none}>
            <p>{t.noneText}</p>
            {mayAct && (
              <button class="button button-main" onClick={() => setNaming("new")}>
                {t.create}
              </button>
            )}
          </Empty>
        )}
        {lines && lines.length > 0 && <Table lines={lines} mayAct={mayAct} onRename={setNaming} />}
      </Card>
      {hasNextPage && (
        <button class="button categories-more" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? words.act.loading : words.act.more}
        </button>
      )}
      {naming && <Naming category={naming === "new" ? null : naming} onClose={() => setNaming(null)} />}
    </>
  );
}

function Table({ lines, mayAct, onRename }: { lines: Category[]; mayAct: boolean; onRename: (category: Category) => void }) {
  const t = useTexts(categories);
  const client = useQueryClient();

  async function remove(category: Category): Promise<void> {
    const sure = await confirm({
      title: t.removeTitle(category.name),
      consequence: <p>{category.contact_count > 0 ? t.removeText(category.contact_count, number(category.contact_count)) : t.removeEmpty}</p>,
      action: t.remove,
      danger: true,
    });
    if (!sure) return;
    try {
      await deleteCategory(client, category.id);
      notify("done", t.removed(category.name));
    } catch (error) {
      tell(error, t.problems);
    }
  }

  return (
    <div class="table-wrap" role="region" aria-label={t.title} tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t.name}</th>
            <th scope="col" class="number">{t.people}</th>
            <th scope="col">{t.since}</th>
            {mayAct && <th scope="col"><span class="unseen">{t.rename}, {t.remove}</span></th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>
                <a class="cell" href={`/contacts?category=${line.id}`}>
                  {line.name}
                </a>
              </td>
              <td class="number">{number(line.contact_count)}</td>
              <td class="muted fine">{day(line.created_at)}</td>
              {mayAct && (
                <td class="categories-acts">
                  <button class="button-bare" title={t.rename} aria-label={t.actsFor(line.name) + t.rename} onClick={() => onRename(line)}>
                    <Icon name="edit" />
                  </button>
                  <button class="button-bare" title={t.remove} aria-label={t.actsFor(line.name) + t.remove} onClick={() => void remove(line)}>
                    <Icon name="trash" />
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
