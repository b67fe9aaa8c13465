import type en from "~/texts/en/overview";
import { Texts } from "~/texts/language";

export const overview = new Texts<typeof en>({
  en: () => import("~/texts/en/overview"),
  fr: () => import("~/texts/fr/overview"),
});
