import { QueryClient } from "@tanstack/preact-query";
import { asRefusal } from "~/api/problem";

/** Figures stay good for so long: the live stream writes the newer ones into the cache meanwhile. */
export const STATISTICS = 5 * 60_000;
/** Lists of contacts and categories. */
export const LISTS = 2 * 60_000;

/** Make the one cache of the page. What is old is shown at once and refreshed behind it. */
export function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: STATISTICS,
        gcTime: 30 * 60_000,
        retry: (count, error) => count < 2 && asRefusal(error).passing,
        retryDelay: (count) => Math.min(4000, 500 * 2 ** count),
        networkMode: "always", // the service may well be on this machine
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
