import { type QueryClient, infiniteQueryOptions } from "@tanstack/preact-query";
import { get, patch, post, put, remove } from "~/api/client";
import { LISTS } from "./client";
import { contact } from "./contact-list";

/** Every category, newest first, page by page. */
export const categoryPages = () =>
  infiniteQueryOptions({
    queryKey: ["categories", "pages"],
    queryFn: ({ pageParam, signal }) => get("/api/categories", { query: { limit: 100, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: LISTS,
  });

/** Add one. */
export async function createCategory(client: QueryClient, name: string): Promise<void> {
  await post("/api/categories", { body: { name } });
  await changed(client);
}

/** Give one another name. */
export async function renameCategory(client: QueryClient, id: string, name: string): Promise<void> {
  await patch("/api/categories/{category_id}", { path: { category_id: id }, body: { name } });
  await changed(client);
}

/** Delete one; its contacts stay. */
export async function deleteCategory(client: QueryClient, id: string): Promise<void> {
  await remove("/api/categories/{category_id}", { path: { category_id: id } });
  await changed(client);
}

/** Put one contact into the categories that are wanted, and take it out of the others. */
export async function changeMemberships(client: QueryClient, id: string, before: string[], wanted: string[]): Promise<void> {
  const body = { contact_ids: [id] };
  const into = wanted.filter((one) => !before.includes(one));
  const out = before.filter((one) => !wanted.includes(one));
  if (into.length + out.length === 0) return;
  await Promise.all([
    ...into.map((one) => put("/api/categories/{category_id}/contacts", { path: { category_id: one }, body })),
    ...out.map((one) => remove("/api/categories/{category_id}/contacts", { path: { category_id: one }, body })),
  ]);
  void client.invalidateQueries({ queryKey: contact(id).queryKey });
  await changed(client);
}

async function changed(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: ["categories"] });
}
