import type en from "~/texts/en/replies";
import { Texts } from "~/texts/language";

export const replies = new Texts<typeof en>({
  en: () => import("~/texts/en/replies"),
  fr: () => import("~/texts/fr/replies"),
});
