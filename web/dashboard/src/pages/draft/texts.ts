import type en from "~/texts/en/draft";
import { Texts } from "~/texts/language";

export const draft = new Texts<typeof en>({
  en: () => import("~/texts/en/draft"),
  fr: () => import("~/texts/fr/draft"),
});
