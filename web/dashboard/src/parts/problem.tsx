import { type Refusal, asRefusal } from "~/api/problem";
import type commonTexts from "~/texts/en/common";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Icon } from "./icon";

/** Say what happened and what to do. What has no words of ours has the service's. */
export function explain(refusal: Refusal, t: typeof commonTexts): { what: string; remedy: string | undefined } {
  const known = (t.problems as Record<string, { what: string; remedy: string } | undefined>)[refusal.code];
  if (known) return known;
  if (refusal.status >= 500) return t.problems.broken;
  return { what: refusal.message, remedy: undefined };
}

/** What went wrong, in the place where something should stand; `again` offers another attempt. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  const t = useTexts(common);
  const { what, remedy } = explain(asRefusal(error), t);
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <div>
        <p>{what}</p>
        {remedy && <p class="muted">{remedy}</p>}
      </div>
      {again && (
        <button class="button" onClick={again}>
          {t.act.again}
        </button>
      )}
    </div>
  );
}
