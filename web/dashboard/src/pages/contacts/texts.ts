import type en from "~/texts/en/contacts";
import { Texts } from "~/texts/language";

export const contacts = new Texts<typeof en>({
  en: () => import("~/texts/en/contacts"),
  fr: () => import("~/texts/fr/contacts"),
});
