import { contactList, imports } from "~/queries/contact-list";
import { categories, contactStats } from "~/queries/contacts";
import type { Route } from "~/router";
import { filterOf } from "./filter";
import { contacts } from "./texts";

const routes: Route[] = [
  {
    path: "/contacts",
    nav: { order: 3, icon: "contacts", label: "contacts" },
    load: () => import("./page"),
    texts: [contacts],
    prefetch: (client) => [
      client.query(contactStats()),
      client.query(contactList(filterOf(new URLSearchParams(location.search)))),
      client.query(categories()),
    ],
  },
  {
    path: "/contacts/import",
    load: () => import("./import"),
    texts: [contacts],
    prefetch: (client) => [client.query(categories()), client.infiniteQuery(imports())],
  },
];

export default routes;
