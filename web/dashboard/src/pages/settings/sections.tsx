import type { ComponentChildren } from "preact";
import { Empty, PageHead } from "~/parts/frame";
import { place } from "~/router";
import { type Role, useMay } from "~/session";
import { useStore } from "~/store";
import { useTexts } from "~/texts/language";
import { settings } from "./texts";
import "./page.css";

type Name = "pace" | "senders" | "people" | "keys" | "account" | "audit" | "privacy";
const SECTIONS: { name: Name; path: string; role: Role }[] = [
  { name: "pace", path: "/settings", role: "viewer" },
  { name: "senders", path: "/settings/numbers", role: "viewer" },
  { name: "people", path: "/settings/people", role: "admin" },
  { name: "keys", path: "/settings/keys", role: "operator" },
  { name: "account", path: "/settings/account", role: "viewer" },
  { name: "privacy", path: "/settings/privacy", role: "operator" },
  { name: "audit", path: "/settings/audit", role: "admin" },
];

/** One part of the settings, with the way to the others; who may not see it is told so. */
export function Section({ name, lead, acts, children }: { name: Name; lead?: string; acts?: ComponentChildren; children: ComponentChildren }) {
  const t = useTexts(settings);
  const path = useStore(place)?.path;
  const may: Record<Role, boolean> = { viewer: useMay("viewer"), operator: useMay("operator"), admin: useMay("admin") };
  const isOpen = SECTIONS.some((one) => one.name === name && may[one.role]);
  return (
    <>
      <PageHead title={name === "pace" ? t.title : `${t.title} · ${t.sections[name]}`} lead={lead}>
        {isOpen && acts}
      </PageHead>
      <nav class="sections" aria-label={t.sections.label}>
        <ul class="chips">
          {SECTIONS.filter((one) => may[one.role]).map((one) => (
            <li key={one.name}>
              <a class="chip" href={one.path} aria-current={path === one.path ? "page" : undefined}>
                {t.sections[one.name]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {isOpen ? children : <Empty icon="shield" title={t.adminsOnly} />}
    </>
  );
}
