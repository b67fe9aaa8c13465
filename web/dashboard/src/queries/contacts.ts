import { queryOptions } from "@tanstack/preact-query";
import { get } from "~/api/client";
import { LISTS } from "./client";

/** Every category with its number of people. */
export const categories = () =>
  queryOptions({
    queryKey: ["categories"],
    queryFn: ({ signal }) => get("/api/categories", { query: { limit: 200 }, signal }),
    staleTime: LISTS,
  });

/** How many contacts there are, and how many of them may be written to. */
export const contactStats = () =>
  queryOptions({ queryKey: ["contact-stats"], queryFn: ({ signal }) => get("/api/contacts/stats", { signal }) });
