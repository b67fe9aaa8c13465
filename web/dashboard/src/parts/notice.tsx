import { asRefusal } from "~/api/problem";
import { store, useStore } from "~/store";
import { common } from "~/texts";
import { language, useTexts } from "~/texts/language";
import { Icon } from "./icon";
import { explain } from "./problem";

export interface Notice {
  id: number;
  kind: "done" | "failed";
  text: string;
  remedy?: string | undefined;
}

const shown = store<Notice[]>([]);
const SECONDS = { done: 5, failed: 12 };
let last = 0;

/** Say that something was done, or that it was not and what to do. */
export function notify(kind: Notice["kind"], text: string, remedy?: string): void {
  const id = ++last;
  shown.set([...shown.get().slice(-2), { id, kind, text, remedy }]);
  setTimeout(() => dismiss(id), SECONDS[kind] * 1000);
}

/** Say why something was refused, in the words of the language in use. */
export function notifyRefusal(error: unknown): void {
  const { what, remedy } = explain(asRefusal(error), common.in(language.get()));
  notify("failed", what, remedy);
}

function dismiss(id: number): void {
  shown.set(shown.get().filter((one) => one.id !== id));
}

/** The corner where notices appear. */
export function Notices() {
  const t = useTexts(common);
  return (
    <div class="notices" role="status" aria-live="polite">
      {useStore(shown).map((one) => (
        <div key={one.id} class={`notice notice-${one.kind}`}>
          <Icon name={one.kind === "done" ? "check" : "alert"} />
          <div>
            <p>{one.text}</p>
            {one.remedy && <p class="muted">{one.remedy}</p>}
          </div>
          <button class="button-bare" aria-label={t.act.dismiss} onClick={() => dismiss(one.id)}>
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
