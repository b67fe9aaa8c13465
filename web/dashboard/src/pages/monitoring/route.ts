import { cache, monitoring as now, senders } from "~/queries/service";
import type { Route } from "~/router";
import { monitoring } from "./texts";

const route: Route = {
  path: "/monitoring",
  nav: { order: 6, icon: "monitoring", label: "monitoring" },
  load: () => import("./page"),
  texts: [monitoring],
  prefetch: (client) => [client.query(now()), client.query(senders()), client.query(cache())],
};

export default route;
