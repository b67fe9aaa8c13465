import type { Wire } from "~/api/client";
import type { Campaign } from "~/queries/campaigns";

type Pacing = NonNullable<Wire<"NewCampaign">["pacing"]>;

/** What is typed into the steps; empty strings are what nobody typed. */
export interface Form {
  name: string;
  sender: string;
  categories: string[];
  excluded: string[];
  contactedWithinDays: string;
  message1: string;
  message2: string;
  profile: "" | "standard" | "careful" | "official";
  delay: string;
  size: string;
  pause: string;
  quietHours: string;
  spreadDays: string;
  answerAutomatic: boolean;
}

export const EMPTY: Form = {
  name: "",
  sender: "",
  categories: [],
  excluded: [],
  contactedWithinDays: "",
  message1: "",
  message2: "",
  profile: "",
  delay: "",
  size: "",
  pause: "",
  quietHours: "",
  spreadDays: "",
  answerAutomatic: false,
};

const typed = (value: unknown): string => (typeof value === "number" || typeof value === "string" ? String(value) : "");

/** Return the form of a draft that exists. */
export function formOf(draft: Campaign): Form {
  const pacing: Record<string, unknown> = draft.pacing;
  return {
    name: draft.name,
    sender: draft.sender_id,
    categories: draft.category_ids,
    excluded: draft.exclude.category_ids ?? [],
    contactedWithinDays: typed(draft.exclude.contacted_within_days),
    message1: draft.message_1,
    message2: draft.message_2 ?? "",
    profile: typed(pacing.profile) as Form["profile"],
    delay: typed(pacing.delay),
    size: typed(pacing.size),
    pause: typed(pacing.pause),
    quietHours: draft.quiet_hours ?? "",
    spreadDays: typed(draft.spread_over_days),
    answerAutomatic: draft.answer_automatic_replies,
  };
}

const figure = (value: string): number | null => (value.trim() === "" ? null : Number(value));

/** Return what the service is asked to keep. */
export function bodyOf(form: Form): Omit<Wire<"NewCampaign">, "sender_id"> & { sender_id?: string } {
  const pacing: Pacing = {};
  if (form.profile) pacing.profile = form.profile;
  for (const name of ["delay", "size", "pause"] as const) {
    const value = figure(form[name]);
    if (value !== null) pacing[name] = value;
  }
  return {
    name: form.name.trim(),
    ...(form.sender ? { sender_id: form.sender } : {}),
    category_ids: form.categories,
    exclude: { category_ids: form.excluded, contacted_within_days: figure(form.contactedWithinDays) },
    message_1: form.message1,
    message_2: form.message2.trim() === "" ? null : form.message2,
    pacing,
    quiet_hours: form.quietHours.trim() || null,
    spread_over_days: figure(form.spreadDays),
    answer_automatic_replies: form.answerAutomatic,
  };
}

/** What is still missing before a draft can be kept, in the order of the steps. */
export function missing(form: Form): ("name" | "categories" | "message1")[] {
  const found: ("name" | "categories" | "message1")[] = [];
  if (form.name.trim() === "") found.push("name");
  if (form.categories.length === 0) found.push("categories");
  if (form.message1.trim() === "") found.push("message1");
  return found;
}
