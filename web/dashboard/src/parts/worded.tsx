import { asRefusal } from "~/api/problem";
import { common } from "~/texts";
import { language, useTexts } from "~/texts/language";
import { Icon } from "./icon";
import { notify } from "./notice";
import { explain } from "./problem";

/** What a page says about the refusals that only it can meet, by their code. */
export type Problems = Record<string, { what: string; remedy: string } | undefined>;

function words(error: unknown, problems: Problems, everybodys: ReturnType<typeof common.in>) {
  const refusal = asRefusal(error);
  return problems[refusal.code] ?? explain(refusal, everybodys);
}

/** Say in the corner why something was refused, and what to do. */
export function tell(error: unknown, problems: Problems): void {
  const { what, remedy } = words(error, problems, common.in(language.get()));
  notify("failed", what, remedy);
}

/** The same in the place where it happened. */
export function Worded({ error, problems }: { error: unknown; problems: Problems }) {
  const { what, remedy } = words(error, problems, useTexts(common));
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <div>
        <p>{what}</p>
        {remedy && <p class="muted">{remedy}</p>}
      </div>
    </div>
  );
}
