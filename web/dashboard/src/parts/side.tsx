import { useQuery } from "@tanstack/preact-query";
import { place, routes } from "~/router";
import { me } from "~/session";
import { useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { live } from "~/live/stream";
import { Account } from "./account";
import { Icon, Mark } from "./icon";

const entries = routes.flatMap((route) => (route.nav ? [{ path: route.path, ...route.nav }] : [])).sort((a, b) => a.order - b.order);

function isCurrent(entry: string, path: string): boolean {
  return entry === "/" ? path === "/" : path === entry || path.startsWith(`${entry}/`);
}

/** The side: where one can go, whether it is live, who one is. */
export function Side({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  const t = useTexts(common);
  const path = useStore(place)?.path ?? "/";
  const { data: person } = useQuery(me());
  return (
    <div class="side">
      <div class="side-top">
        <a class="brand" href="/">
          <Mark />
          <b>Relance</b>
        </a>
        <LiveMark />
        <button class="button-bare side-toggle" aria-expanded={open} aria-controls="side-rest" onClick={onToggle}>
          <Icon name={open ? "close" : "menu"} />
          <span class="unseen">{t.menu}</span>
        </button>
      </div>
      <div class="side-rest" id="side-rest">
        <nav aria-label={t.nav.label}>
          <ul>
            {entries.map((entry) => (
              <li key={entry.path}>
                <a href={entry.path} aria-current={isCurrent(entry.path, path) ? "page" : undefined}>
                  <Icon name={entry.icon} />
                  {t.nav[entry.label]}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {person && <Account person={person} />}
      </div>
    </div>
  );
}

function LiveMark() {
  const t = useTexts(common);
  const state = useStore(live);
  return (
    <span class={`live live-${state}`} role="status" title={t.live.explained[state]} data-live={state}>
      <i aria-hidden="true" />
      {t.live[state]}
    </span>
  );
}
