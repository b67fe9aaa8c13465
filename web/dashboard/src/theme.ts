import { remember, remembered, store } from "~/store";

export type Theme = "system" | "light" | "dark";
export const THEMES: Theme[] = ["system", "light", "dark"];

const known = remembered("theme");

/** What was chosen; the shell has put it into the page already. */
export const theme = store<Theme>(known === "light" || known === "dark" ? known : "system");

/** Choose light, dark, or what the system says. */
export function choose(wanted: Theme): void {
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  remember("theme", wanted === "system" ? null : wanted);
  theme.set(wanted);
}
