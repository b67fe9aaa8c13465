import { categoryPages } from "~/queries/categories";
import type { Route } from "~/router";
import { categories } from "./texts";

const route: Route = {
  path: "/categories",
  nav: { order: 4, icon: "categories", label: "categories" },
  load: () => import("./page"),
  texts: [categories],
  prefetch: (client) => [client.infiniteQuery(categoryPages())],
};

export default route;
