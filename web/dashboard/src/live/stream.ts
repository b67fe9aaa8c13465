import type { QueryClient } from "@tanstack/preact-query";
import { store } from "~/store";
import { type LiveEvent, catchUp, write } from "./write";

export type LiveState = "connecting" | "live" | "reconnecting";

/** What the mark in the corner says. */
export const live = store<LiveState>("connecting");

const KINDS = ["progress", "campaign", "monitoring", "import"];
const NAME = "relance.live";
/** A connection that the server refused is made again after so long, at first and at most. */
const AGAIN = [500, 5000] as const;

type Told = { type: "event"; event: LiveEvent } | { type: "state"; state: LiveState } | { type: "who" };

/** Watch everything, until the returned function is called. One tab holds the connection, the others listen to it. */
export function watch(client: QueryClient): () => void {
  const stopping = new AbortController();
  const screen = new Screen(client);
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") {
    hold(screen, () => undefined, stopping.signal);
    return () => stopping.abort();
  }
  const channel = new BroadcastChannel(NAME);
  let leading = false;
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.type === "who") {
      if (leading) channel.postMessage({ type: "state", state: live.get() } satisfies Told);
    } else if (!leading) screen.hear(data);
  };
  channel.postMessage({ type: "who" } satisfies Told);
  const held = navigator.locks.request(
    NAME,
    { signal: stopping.signal },
    () =>
      new Promise<void>((release) => {
        leading = true;
        stopping.signal.addEventListener("abort", () => release());
        hold(screen, (told) => channel.postMessage(told), stopping.signal);
      }),
  );
  held.catch(() => undefined); // stopped while it waited for its turn
  return () => {
    stopping.abort();
    channel.close();
  };
}

/** Hold the connection: show what comes, and tell it on. The browser resumes it with Last-Event-ID. */
function hold(screen: Screen, tell: (told: Told) => void, stopping: AbortSignal): void {
  let wait: number = AGAIN[0];
  let source: EventSource | null = null;
  const both = (told: Told): void => {
    screen.hear(told);
    tell(told);
  };
  const open = (): void => {
    if (stopping.aborted) return;
    source = new EventSource("/api/events");
    for (const kind of KINDS) {
      source.addEventListener(kind, (event: MessageEvent<string>) =>
        both({ type: "event", event: { kind, data: JSON.parse(event.data) as unknown } }),
      );
    }
    source.onopen = () => {
      wait = AGAIN[0];
      both({ type: "state", state: "live" });
    };
    source.onerror = () => {
      both({ type: "state", state: "reconnecting" });
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      setTimeout(open, wait);
      wait = Math.min(AGAIN[1], wait * 2);
    };
  };
  stopping.addEventListener("abort", () => source?.close());
  open();
}

/** Writes what is heard into the cache, at most once per frame; of each thing only the newest. */
class Screen {
  private readonly client: QueryClient;
  private waiting = new Map<string, LiveEvent>();
  private asleep = true;

  constructor(client: QueryClient) {
    this.client = client;
  }

  hear(told: Told): void {
    if (told.type === "state") this.state(told.state);
    else if (told.type === "event") this.take(told.event);
  }

  private state(now: LiveState): void {
    const before = live.get();
    live.set(now);
    if (now === "live" && before === "reconnecting") catchUp(this.client);
  }

  private take(event: LiveEvent): void {
    const { id, campaign_id } = event.data as { id?: string; campaign_id?: string };
    this.waiting.set(`${event.kind} ${campaign_id ?? id ?? ""}`, event);
    if (!this.asleep) return;
    this.asleep = false;
    // A hidden page draws no frames, and shall be true when it is looked at again.
    if (document.hidden) setTimeout(() => this.flush(), 250);
    else requestAnimationFrame(() => this.flush());
  }

  private flush(): void {
    const events = [...this.waiting.values()];
    this.waiting = new Map();
    this.asleep = true;
    write(this.client, events);
  }
}
