import type { QueryClient } from "@tanstack/preact-query";
import { apiKeys, people } from "~/queries/accounts";
import { config, senders } from "~/queries/service";
import type { Route } from "~/router";
import { settings } from "./texts";

const at = (path: string, load: Route["load"], prefetch?: (client: QueryClient) => Promise<unknown>[]): Route => ({
  path,
  load,
  texts: [settings],
  ...(prefetch ? { prefetch } : {}),
});

const routes: Route[] = [
  {
    ...at("/settings", () => import("./page"), (client) => [client.query(config())]),
    nav: { order: 7, icon: "settings", label: "settings" },
  },
  at("/settings/numbers", () => import("./senders"), (client) => [client.query(senders()), client.query(config())]),
  at("/settings/people", () => import("./people"), (client) => [client.query(people())]),
  at("/settings/keys", () => import("./keys"), (client) => [client.query(apiKeys())]),
  at("/settings/account", () => import("./account")),
  at("/settings/audit", () => import("./audit")),
  at("/settings/privacy", () => import("./privacy")),
];

export default routes;
