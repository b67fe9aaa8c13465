import type { ReplyFilter } from "~/queries/replies";

export type Show = "all" | "window" | "late" | "optOut";
export const SHOWS: Show[] = ["all", "window", "late", "optOut"];
export const TYPES = ["text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "reaction", "poll", "other"];

const WANTED: Record<Show, Pick<ReplyFilter, "inWindow" | "outcome">> = {
  all: { inWindow: null, outcome: null },
  window: { inWindow: true, outcome: null },
  late: { inWindow: null, outcome: "late" },
  optOut: { inWindow: null, outcome: "opt_out" },
};

/** Which replies the address asks for. */
export function filterOf(query: URLSearchParams): ReplyFilter {
  const type = query.get("type");
  return { campaign: query.get("campaign"), type: type && TYPES.includes(type) ? type : null, ...WANTED[showOf(query)] };
}

/** Which of the sorts the address asks for. */
export function showOf(query: URLSearchParams): Show {
  return SHOWS.find((one) => one === query.get("show")) ?? "all";
}
