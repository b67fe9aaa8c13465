import { campaign } from "~/queries/campaigns";
import { categories } from "~/queries/contacts";
import { senders } from "~/queries/service";
import type { Route } from "~/router";
import { draft } from "./texts";

const common = { load: () => import("./page"), texts: [draft] };

const routes: Route[] = [
  { ...common, path: "/campaigns/new", prefetch: (client) => [client.query(categories()), client.query(senders())] },
  {
    ...common,
    path: "/campaigns/:id/edit",
    prefetch: (client, { id = "" }) => [client.query(campaign(id)), client.query(categories()), client.query(senders())],
  },
];

export default routes;
