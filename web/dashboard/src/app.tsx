import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { watch } from "./live/stream";
import { Door } from "./parts/door";
import { Questions } from "./parts/dialog";
import { Empty } from "./parts/frame";
import { Notices } from "./parts/notice";
import { Side } from "./parts/side";
import { place } from "./router";
import { me } from "./session";
import { useStore } from "./store";
import { common } from "./texts";
import { language, useTexts } from "./texts/language";

/** Everything on the screen: the door for strangers, the frame with a page in it for everybody else. */
export function App() {
  useStore(language); // whoever formats a number has to be drawn anew in another language
  const { data: person } = useQuery(me());
  return (
    <>
      {person ? <Frame /> : <Door />}
      <Questions />
      <Notices />
    </>
  );
}

function Frame() {
  const t = useTexts(common);
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  useEffect(() => watch(client), [client]);
  const path = useStore(place)?.path;
  useEffect(() => setOpen(false), [path]);
  return (
    <div class={open ? "frame frame-open" : "frame"}>
      <a class="skip" href="#content">
        {t.skip}
      </a>
      <Side open={open} onToggle={() => setOpen(!open)} />
      <main class="page" id="content" tabIndex={-1}>
        <Page />
      </main>
    </div>
  );
}

function Page() {
  const t = useTexts(common);
  const here = useStore(place);
  const arrived = useRef(here?.arrival);
  useEffect(() => {
    if (!here) return;
    const heading = document.querySelector("h1");
    if (!here.page) document.title = "Relance";
    if (arrived.current === here.arrival) return; // the first page: the reader has not moved
    arrived.current = here.arrival;
    scrollTo(0, 0);
    heading?.focus({ preventScroll: true });
  }, [here]);
  if (!here) return null;
  if (!here.page) {
    return (
      <Empty title={t.notFound.title}>
        <p>{t.notFound.text}</p>
        <a class="button button-main" href="/">
          {t.notFound.home}
        </a>
      </Empty>
    );
  }
  const Shown = here.page;
  return <Shown key={here.path} params={here.params} />;
}
