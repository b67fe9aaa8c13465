import type en from "~/texts/en/categories";
import { Texts } from "~/texts/language";

export const categories = new Texts<typeof en>({
  en: () => import("~/texts/en/categories"),
  fr: () => import("~/texts/fr/categories"),
});
