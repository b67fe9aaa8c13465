import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { post } from "~/api/client";
import { Field } from "~/parts/field";
import { Card, Empty, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Worded } from "~/parts/worded";
import { imports } from "~/queries/contact-list";
import { categories } from "~/queries/contacts";
import { ask, place } from "~/router";
import { useMay } from "~/session";
import { useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Drop } from "./drop";
import { History } from "./history";
import { Running } from "./running";
import { contacts } from "./texts";
import "./page.css";

/** A file of contacts: chosen, checked, imported, and what was wrong with it. */
export default function Import() {
  const t = useTexts(contacts);
  const words = useTexts(common);
  const client = useQueryClient();
  const mayAct = useMay("operator");
  const shown = useStore(place)?.query.get("id") ?? null;
  const { data } = useQuery(categories());
  const [file, setFile] = useState<File | null>(null);
  const [category, setCategory] = useState("");
  const [region, setRegion] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function send(dryRun: boolean): Promise<void> {
    if (!file) return;
    setBusy(true);
    setError(null);
    const form = new FormData();
    form.set("file", file);
    form.set("dry_run", String(dryRun));
    if (category) form.set("category_id", category);
    if (region.trim()) form.set("region", region.trim());
    try {
      const { id } = await post("/api/contacts/import", { form });
      ask({ id });
      void client.invalidateQueries({ queryKey: imports().queryKey });
    } catch (refused) {
      setError(refused);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <PageHead title={t.files.title} lead={t.files.lead}>
        <a class="button" href="/contacts">
          <Icon name="back" />
          {t.files.back}
        </a>
      </PageHead>
      {!mayAct && (
        <Empty icon="shield" title={words.problems.forbidden.what}>
          <p>{words.problems.forbidden.remedy}</p>
        </Empty>
      )}
      {shown && <Running key={shown} id={shown} busy={busy} onImport={mayAct && file ? () => void send(false) : undefined} />}
      {mayAct && (
        <Card>
          <div class="stack">
            <Drop file={file} onFile={(chosen) => {
              setFile(chosen);
              setError(null);
              ask({ id: null });
            }} />
            <p class="help">
              <b>{t.files.columns}:</b> {t.files.columnsText}
            </p>
            <div class="grid-2 import-fields">
              <Field label={t.files.into}>
                <select value={category} onChange={(event) => setCategory(event.currentTarget.value)}>
                  <option value="">{t.files.nowhere}</option>
                  {data?.items.map((one) => (
                    <option key={one.id} value={one.id}>
                      {one.name}
                    </option>
                  ))}
                </select>
              </Field>
              <Field label={t.files.region} help={t.files.regionHelp}>
                <input value={region} maxLength={2} pattern="[A-Za-z]{2}" autocomplete="off" onInput={(event) => setRegion(event.currentTarget.value)} />
              </Field>
            </div>
            {error !== null && <Worded error={error} problems={t.problems} />}
            <div class="row">
              <button class="button" disabled={!file || busy} onClick={() => void send(true)}>
                {t.files.check}
              </button>
              <button class="button button-main" disabled={!file || busy} onClick={() => void send(false)}>
                {busy ? t.files.sending : t.files.start}
              </button>
            </div>
          </div>
        </Card>
      )}
      <History />
    </>
  );
}
