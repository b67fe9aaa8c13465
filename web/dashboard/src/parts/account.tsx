import { useQueryClient } from "@tanstack/preact-query";
import { type Me, logOut } from "~/session";
import { useStore } from "~/store";
import { common } from "~/texts";
import { LANGUAGES, type Language, language, speak, useTexts } from "~/texts/language";
import { THEMES, type Theme, choose, theme } from "~/theme";
import { Icon } from "./icon";
import { notifyRefusal } from "./notice";

/** Who is logged in, how they like it, and the way out. */
export function Account({ person }: { person: Me }) {
  const t = useTexts(common);
  const client = useQueryClient();
  const role = person.role;
  return (
    <div class="account">
      <div class="account-choices">
        <Languages />
        <Themes />
      </div>
      <div class="account-who">
        <div>
          <b title={person.name}>{person.name}</b>
          <span class="muted" title={role === "viewer" ? t.account.readOnlyExplained : undefined}>
            {t.account.roles[role]}
            {role === "viewer" && ` · ${t.account.readOnly}`}
          </span>
        </div>
        <button class="button-bare" title={t.account.logOut} aria-label={t.account.logOut} onClick={() => void logOut(client).catch(notifyRefusal)}>
          <Icon name="leave" />
        </button>
      </div>
    </div>
  );
}

/** Which language. */
export function Languages() {
  const t = useTexts(common);
  return (
    <select aria-label={t.account.language} value={useStore(language)} onChange={(event) => void speak(event.currentTarget.value as Language)}>
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

const ICONS = { system: "screen", light: "sun", dark: "moon" } as const;

/** Light or dark: one button that goes round. */
export function Themes() {
  const t = useTexts(common);
  const now = useStore(theme);
  const next: Theme = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "system";
  const said = `${t.account.theme}: ${t.account.themes[now]}`;
  return (
    <button class="button-bare" title={said} aria-label={said} onClick={() => choose(next)}>
      <Icon name={ICONS[now]} />
    </button>
  );
}
