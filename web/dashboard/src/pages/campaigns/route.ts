import { campaigns as every } from "~/queries/campaigns";
import type { Route } from "~/router";
import { campaigns } from "./texts";

const route: Route = {
  path: "/campaigns",
  nav: { order: 2, icon: "campaigns", label: "campaigns" },
  load: () => import("./page"),
  texts: [campaigns],
  prefetch: (client) => [client.infiniteQuery(every())],
};

export default route;
