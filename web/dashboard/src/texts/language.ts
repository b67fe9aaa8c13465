import { remember, store, useStore } from "~/store";

export type Language = "en" | "fr";
export const LANGUAGES: Record<Language, string> = { en: "English", fr: "Français" };

/** The language in use; the shell chose the first one (kept choice, else the browser's). */
export const language = store<Language>(
  typeof document !== "undefined" && document.documentElement.lang === "fr" ? "fr" : "en",
);

type Loaders<T> = Record<Language, () => Promise<{ default: T }>>;

/** The texts of one page, loaded with it, one language at a time. */
export class Texts<T> {
  private readonly loaders: Loaders<T>;
  private readonly loaded: Partial<Record<Language, T>> = {};

  constructor(loaders: Loaders<T>) {
    this.loaders = loaders;
    all.push(this);
  }

  /** Make sure they are here in a language. */
  async load(wanted: Language): Promise<void> {
    this.loaded[wanted] ??= (await this.loaders[wanted]()).default;
  }

  /** Whether any language is here: then somebody shows them. */
  get shown(): boolean {
    return Object.keys(this.loaded).length > 0;
  }

  /** Return them; an error where nobody loaded them before drawing. */
  in(wanted: Language): T {
    const found = this.loaded[wanted];
    if (found === undefined) throw new Error("texts were drawn before they were loaded");
    return found;
  }
}

const all: Texts<unknown>[] = [];

/** Show texts in the language in use. */
export function useTexts<T>(texts: Texts<T>): T {
  return texts.in(useStore(language));
}

/** Change the language of everything on the page, at once when all of it is here. */
export async function speak(wanted: Language): Promise<void> {
  await Promise.all(all.filter((texts) => texts.shown).map((texts) => texts.load(wanted)));
  remember("language", wanted);
  document.documentElement.lang = wanted;
  language.set(wanted);
}
