import type en from "~/texts/en/campaign";
import { Texts } from "~/texts/language";

export const campaign = new Texts<typeof en>({
  en: () => import("~/texts/en/campaign"),
  fr: () => import("~/texts/fr/campaign"),
});
