import type en from "~/texts/en/settings";
import { Texts } from "~/texts/language";

export const settings = new Texts<typeof en>({
  en: () => import("~/texts/en/settings"),
  fr: () => import("~/texts/fr/settings"),
});
