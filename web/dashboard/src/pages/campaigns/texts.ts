import type en from "~/texts/en/campaigns";
import { Texts } from "~/texts/language";

export const campaigns = new Texts<typeof en>({
  en: () => import("~/texts/en/campaigns"),
  fr: () => import("~/texts/fr/campaigns"),
});
