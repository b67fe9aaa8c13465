import { campaigns } from "~/queries/campaigns";
import { replies as list } from "~/queries/replies";
import type { Route } from "~/router";
import { filterOf } from "./filter";
import { replies } from "./texts";

const route: Route = {
  path: "/replies",
  nav: { order: 5, icon: "replies", label: "replies" },
  load: () => import("./page"),
  texts: [replies],
  prefetch: (client) => [
    client.infiniteQuery(list(filterOf(new URLSearchParams(location.search)))),
    client.infiniteQuery(campaigns()),
  ],
};

export default route;
