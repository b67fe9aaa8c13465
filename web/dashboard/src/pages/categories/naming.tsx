import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import type { Wire } from "~/api/client";
import { Dialog } from "~/parts/dialog";
import { Field, textOf } from "~/parts/field";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import { createCategory, renameCategory } from "~/queries/categories";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { categories } from "./texts";

/** Give a category a name, a new one or one that exists. */
export function Naming({ category, onClose }: { category: Wire<"Category"> | null; onClose: () => void }) {
  const t = useTexts(categories);
  const words = useTexts(common);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = textOf(event.currentTarget as HTMLFormElement, "name").trim();
    setBusy(true);
    try {
      await (category ? renameCategory(client, category.id, name) : createCategory(client, name));
      notify("done", category ? t.renamed(name) : t.created(name));
      onClose();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  }

  return (
    <Dialog title={category ? t.renameTitle(category.name) : t.create} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <div class="dialog-body">
          {error !== null && <Worded error={error} problems={t.problems} />}
          <Field label={t.name}>
            <input name="name" required maxLength={200} pattern=".*\S.*" autofocus autocomplete="off" defaultValue={category?.name ?? ""} />
          </Field>
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {words.act.cancel}
          </button>
          <button class="button button-main" disabled={busy}>
            {category ? t.rename : t.add}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
