import type { components, paths } from "~wire";
import { Refusal, refusalOf } from "./problem";

/** A shape of the service, by its name in the OpenAPI document. */
export type Wire<Name extends keyof components["schemas"]> = components["schemas"][Name];

type Method = "get" | "post" | "put" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type InPath<O> = O extends { parameters: { path: infer V } } ? { path: V } : { path?: never };
type InQuery<O> = O extends { parameters: { query?: infer Q } } ? { query?: Q } : { query?: never };
type InBody<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? { body: B }
  : O extends { requestBody: { content: { "multipart/form-data": unknown } } }
    ? { form: FormData }
    : O extends { requestBody?: { content: { "application/json": infer B } } }
      ? { body?: B }
      : { body?: never };
type Asked<O> = InPath<O> & InQuery<O> & InBody<O> & { signal?: AbortSignal };

type Content<R> = R extends { content: { "application/json": infer T } } ? T : undefined;
type Answered<O> = O extends { responses: infer R }
  ? { [S in Extract<keyof R, 200 | 201 | 202 | 204>]: Content<R[S]> }[Extract<keyof R, 200 | 201 | 202 | 204>]
  : never;

type Rest<O> = object extends Asked<O> ? [asked?: Asked<O>] : [asked: Asked<O>];

type Asking = string | number | boolean | null | undefined;

interface Loose {
  path?: Record<string, string | number>;
  query?: Record<string, Asking | Asking[]>;
  body?: unknown;
  form?: FormData;
  signal?: AbortSignal;
}

/** What the session asks of every change; set by `session.ts`. */
export const session: { csrf: string | null; onLost: () => void; renew: () => Promise<void> } = {
  csrf: null,
  onLost: () => undefined,
  renew: () => Promise.resolve(),
};

/** Return the address of a route: `{names}` filled in, the query behind it; undefined and null are left out. */
export function address(template: string, path: Loose["path"] = {}, query: Loose["query"] = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name] ?? "")));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") search.append(name, String(one));
    }
  }
  const asked = search.toString();
  return asked ? `${filled}?${asked}` : filled;
}

async function send(method: Method, template: string, asked: Loose, again = true): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (asked.body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "get" && session.csrf) headers["X-CSRF-Token"] = session.csrf;
  const request: RequestInit = { method: method.toUpperCase(), headers };
  if (asked.form) request.body = asked.form;
  else if (asked.body !== undefined) request.body = JSON.stringify(asked.body);
  if (asked.signal) request.signal = asked.signal;
  let answer: Response;
  try {
    answer = await fetch(address(template, asked.path, asked.query), request);
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new Refusal(0, "offline", "the service cannot be reached");
  }
  if (answer.ok) return answer.status === 204 ? undefined : await answer.json();
  const refusal = await refusalOf(answer);
  if (refusal.code === "csrf" && again) {
    await session.renew();
    return send(method, template, asked, false);
  }
  if (refusal.status === 401 && refusal.code === "unauthorized") session.onLost();
  throw refusal;
}

/** Read. Every method throws a Refusal when the service refuses or cannot be reached. */
export async function get<P extends PathsWith<"get">>(
  path: P,
  ...[asked]: Rest<Operation<P, "get">>
): Promise<Answered<Operation<P, "get">>> {
  return (await send("get", path, (asked ?? {}) as Loose)) as Answered<Operation<P, "get">>;
}

/** Add, or do. */
export async function post<P extends PathsWith<"post">>(
  path: P,
  ...[asked]: Rest<Operation<P, "post">>
): Promise<Answered<Operation<P, "post">>> {
  return (await send("post", path, (asked ?? {}) as Loose)) as Answered<Operation<P, "post">>;
}

/** Put in. */
export async function put<P extends PathsWith<"put">>(
  path: P,
  ...[asked]: Rest<Operation<P, "put">>
): Promise<Answered<Operation<P, "put">>> {
  return (await send("put", path, (asked ?? {}) as Loose)) as Answered<Operation<P, "put">>;
}

/** Change what is named, leave the rest. */
export async function patch<P extends PathsWith<"patch">>(
  path: P,
  ...[asked]: Rest<Operation<P, "patch">>
): Promise<Answered<Operation<P, "patch">>> {
  return (await send("patch", path, (asked ?? {}) as Loose)) as Answered<Operation<P, "patch">>;
}

/** Remove, or take out. */
export async function remove<P extends PathsWith<"delete">>(
  path: P,
  ...[asked]: Rest<Operation<P, "delete">>
): Promise<Answered<Operation<P, "delete">>> {
  return (await send("delete", path, (asked ?? {}) as Loose)) as Answered<Operation<P, "delete">>;
}
