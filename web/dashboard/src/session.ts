import { queryOptions, useQuery } from "@tanstack/preact-query";
import type { QueryClient } from "@tanstack/preact-query";
import { type Wire, get, post, session } from "~/api/client";
import { Refusal, refusalOf } from "~/api/problem";

export type Me = Wire<"Me">;
export type Role = "viewer" | "operator" | "admin";

declare global {
  interface Window {
    /** The question who is logged in, asked by the shell before our code was here. */
    relanceMe?: Promise<Response>;
  }
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Say whether a role may do what another may. */
export const covers = (role: Role, wanted: Role): boolean => RANK[role] >= RANK[wanted];

/** Who is logged in; null for nobody. */
export const me = () =>
  queryOptions<Me | null>({
    queryKey: ["me"],
    queryFn: async () => {
      if (isStranger()) return known(null);
      try {
        return known(await ask());
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) return known(null);
        throw error;
      }
    },
    staleTime: Infinity,
  });

async function ask(): Promise<Me> {
  const early = window.relanceMe;
  delete window.relanceMe;
  const answer = await early?.catch(() => undefined);
  if (!answer) return get("/api/auth/me");
  if (!answer.ok) throw await refusalOf(answer);
  return (await answer.json()) as Me;
}

/** Whether the shell was drawn for somebody without a session: then there is nobody to ask for. */
export const isStranger = (): boolean => "door" in document.documentElement.dataset;

function known(person: Me | null): Me | null {
  session.csrf = person?.csrf_token ?? null;
  if (person) delete document.documentElement.dataset.door;
  return person;
}

/** Tie the session to the cache: a session that is over shows the door, a stale token is fetched anew. */
export function keepSession(client: QueryClient): void {
  session.onLost = () => client.setQueryData(me().queryKey, known(null));
  session.renew = async () => {
    await client.query({ ...me(), staleTime: 0 });
  };
}

/** Begin a session. */
export async function logIn(client: QueryClient, email: string, password: string): Promise<void> {
  const person = await post("/api/auth/login", { body: { email, password } });
  client.setQueryData(me().queryKey, known(person));
}

/** End it, and forget everything that was shown. */
export async function logOut(client: QueryClient): Promise<void> {
  await post("/api/auth/logout");
  client.clear();
  client.setQueryData(me().queryKey, known(null));
}

/** Say whether who is logged in may do what a role may. */
export function useMay(wanted: Role): boolean {
  const { data } = useQuery(me());
  return data ? covers(data.role, wanted) : false;
}
