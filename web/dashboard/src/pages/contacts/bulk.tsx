import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { number } from "~/format";
import { confirm } from "~/parts/dialog";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { tell } from "~/parts/worded";
import { type BulkOrder, changeMany } from "~/queries/contact-changes";
import { categories } from "~/queries/contacts";
import type { ContactLine, Roll } from "~/queries/roll";
import { useTexts } from "~/texts/language";
import type { Selection } from "./selection";
import { contacts } from "./texts";

/** What can be done to those who were chosen. */
export function Bulk({ chosen, roll }: { chosen: Selection; roll: Roll | undefined }) {
  const t = useTexts(contacts);
  const client = useQueryClient();
  const { data } = useQuery(categories());
  const people = t.bulk.people(chosen.ids.size, number(chosen.ids.size));

  function act(order: Omit<BulkOrder, "ids">): void {
    const lines = (roll?.rows ?? []).filter((line): line is ContactLine => !!line && chosen.ids.has(line.id));
    const ids = [...chosen.ids];
    const said = order.action === "delete" ? t.bulk.removed : t.bulk.done;
    chosen.clear();
    changeMany(client, { ...order, ids }, lines)
      .then((changed) => notify("done", said(number(changed))))
      .catch((error: unknown) => tell(error, t.problems));
  }

  async function askFirst(action: "opt_out" | "opt_in" | "delete"): Promise<void> {
    const [title, text, verb] = {
      opt_out: [t.bulk.optOutTitle(people), t.bulk.optOutText, t.bulk.optOut],
      opt_in: [t.bulk.optInTitle(people), t.bulk.optInText, t.bulk.optIn],
      delete: [t.bulk.removeTitle(people), t.bulk.removeText, t.bulk.remove],
    }[action] as [string, string, string];
    if (await confirm({ title, consequence: <p>{text}</p>, action: verb, danger: action !== "opt_in" })) act({ action });
  }

  const category = (label: string, action: "add_category" | "remove_category") => (
    <select
      class="select"
      aria-label={label}
      value=""
      onChange={(event) => {
        const id = event.currentTarget.value;
        event.currentTarget.value = "";
        if (id) act({ action, category_id: id });
      }}
    >
      <option value="">{label}</option>
      {data?.items.map((one) => (
        <option key={one.id} value={one.id}>
          {one.name}
        </option>
      ))}
    </select>
  );

  return (
    <div class="contacts-bar contacts-bulk" role="toolbar" aria-label={t.bulk.selected(number(chosen.ids.size))}>
      <button class="button-bare" aria-label={t.bulk.clear} title={t.bulk.clear} onClick={chosen.clear}>
        <Icon name="close" />
      </button>
      <b role="status">{t.bulk.selected(number(chosen.ids.size))}</b>
      {category(t.bulk.addTo, "add_category")}
      {category(t.bulk.removeFrom, "remove_category")}
      <button class="button" onClick={() => void askFirst("opt_out")}>
        {t.bulk.optOut}
      </button>
      <button class="button" onClick={() => void askFirst("opt_in")}>
        {t.bulk.optIn}
      </button>
      <button class="button button-danger" onClick={() => void askFirst("delete")}>
        <Icon name="trash" />
        {t.bulk.remove}
      </button>
    </div>
  );
}
