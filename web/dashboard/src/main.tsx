import { QueryClientProvider } from "@tanstack/preact-query";
import { render } from "preact";
import { App } from "./app";
import { Trouble } from "./parts/problem";
import { makeClient } from "./queries/client";
import { route } from "./router";
import { keepSession, me } from "./session";
import { common } from "./texts";
import { language } from "./texts/language";
import "./styles/tokens.css";
import "./styles/frame.css";
import "./styles/parts.css";

/** Bring texts, session and the first page here, at the same time, then draw over the skeleton. */
async function start(into: HTMLElement): Promise<void> {
  const client = makeClient();
  keepSession(client);
  const words = common.load(language.get());
  try {
    await Promise.all([words, client.query(me()), route(client)]);
  } catch (error) {
    await words;
    render(<Trouble error={error} again={() => location.reload()} />, into);
    return;
  }
  into.replaceChildren();
  render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
    into,
  );
}

const app = document.getElementById("app");
if (app) void start(app);
