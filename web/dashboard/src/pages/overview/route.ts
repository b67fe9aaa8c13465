import type { Route } from "~/router";
import { campaigns } from "~/queries/campaigns";
import { monitoring, totals } from "~/queries/service";
import { overview } from "./texts";

const route: Route = {
  path: "/",
  nav: { order: 1, icon: "overview", label: "overview" },
  load: () => import("./page"),
  texts: [overview],
  prefetch: (client) => [client.query(monitoring()), client.infiniteQuery(campaigns()), client.query(totals())],
};

export default route;
