import { campaign as one, progress, recipients, series } from "~/queries/campaigns";
import type { Route } from "~/router";
import { campaign } from "./texts";

const route: Route = {
  path: "/campaigns/:id",
  load: () => import("./page"),
  texts: [campaign],
  prefetch: (client, { id = "" }) => [
    client.query(one(id)),
    client.query(progress(id)),
    client.query(series(id)),
    client.infiniteQuery(recipients(id, null)),
  ],
};

export default route;
