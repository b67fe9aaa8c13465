import type en from "~/texts/en/monitoring";
import { Texts } from "~/texts/language";

export const monitoring = new Texts<typeof en>({
  en: () => import("~/texts/en/monitoring"),
  fr: () => import("~/texts/fr/monitoring"),
});
