import type { Filter } from "~/queries/contact-list";

export type State = "all" | "reachable" | "out";
const WANTED: Record<State, boolean | null> = { all: null, reachable: false, out: true };

/** Which contacts the address asks for. */
export function filterOf(query: URLSearchParams): Filter {
  return { q: (query.get("q") ?? "").trim(), category: query.get("category"), optedOut: WANTED[stateOf(query)] };
}

/** Which of the three states the address asks for. */
export function stateOf(query: URLSearchParams): State {
  const asked = query.get("state");
  return asked === "reachable" || asked === "out" ? asked : "all";
}
