import { type QueryClient, infiniteQueryOptions, queryOptions } from "@tanstack/preact-query";
import { type Wire, get, post, session } from "~/api/client";
import { me } from "~/session";
import { LISTS } from "./client";

export type User = Wire<"User">;
export type Key = Wire<"Key">;
export type MadeKey = Wire<"MadeKey">;
export type AuditLine = Wire<"AuditLine">;

/** Everybody who may log in. */
export const people = () =>
  queryOptions({ queryKey: ["people"], queryFn: ({ signal }) => get("/api/users", { query: { limit: 200 }, signal }), staleTime: LISTS });

/** API keys, also those revoked. */
export const apiKeys = () =>
  queryOptions({ queryKey: ["keys"], queryFn: ({ signal }) => get("/api/keys", { query: { limit: 200 }, signal }), staleTime: LISTS });

/** Who did what, newest first. */
export const audit = (actor: string, action: string) =>
  infiniteQueryOptions({
    queryKey: ["audit", actor, action],
    queryFn: ({ pageParam, signal }) => get("/api/audit", { query: { actor, action, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 0,
  });

/** Change one's own password; the session that the answer begins goes on in this page. */
export async function changePassword(client: QueryClient, current: string, fresh: string): Promise<void> {
  const person = await post("/api/auth/password", { body: { current_password: current, new_password: fresh } });
  session.csrf = person.csrf_token;
  client.setQueryData(me().queryKey, person);
}
