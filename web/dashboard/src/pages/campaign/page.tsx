import { useQuery } from "@tanstack/preact-query";
import { Bone, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Status } from "~/parts/campaign";
import { Trouble } from "~/parts/problem";
import { campaign as one, progress } from "~/queries/campaigns";
import type { Params } from "~/router";
import { useTexts } from "~/texts/language";
import { number } from "~/format";
import { Acts } from "./acts";
import { Charts } from "./charts";
import { Figures } from "./figures";
import { Forecast } from "./forecast";
import { Pace } from "./pace";
import { People } from "./people";
import { Summary } from "./report";
import { Words } from "./words";
import { campaign } from "./texts";
import "./page.css";

/** One campaign, live. */
export default function Campaign({ params: { id = "" } }: { params: Params }) {
  const t = useTexts(campaign);
  const about = useQuery(one(id));
  const live = useQuery(progress(id));
  const error = about.error ?? live.error;
  if (error && !(about.data && live.data)) {
    return (
      <>
        <PageHead title={about.data?.name ?? t.back} />
        <Trouble error={error} again={() => void Promise.all([about.refetch(), live.refetch()])} />
      </>
    );
  }
  if (!about.data || !live.data) {
    return (
      <>
        <PageHead title="…" />
        <Bone kind="card" />
        <Bone kind="block" />
      </>
    );
  }
  const { data } = about;
  const figures = live.data;
  const ended = figures.status === "completed" || figures.status === "cancelled";
  return (
    <>
      <PageHead
        title={data.name}
        lead={
          <span class="row">
            <Status status={figures.status} />
            {figures.reason}
          </span>
        }
      >
        <Acts campaign={data} progress={figures} />
      </PageHead>
      {figures.unconfirmed > 0 && (
        <div class="hint hint-warn" role="status">
          <Icon name="alert" />
          <div>
            <b>{t.doubt(number(figures.unconfirmed))}.</b> {t.doubtText}{" "}
            <a href={`/campaigns/${id}?state=unconfirmed#people`}>{t.review}</a>
          </div>
        </div>
      )}
      <Forecast progress={figures} />
      <Figures progress={figures} />
      <div class="campaign-split">
        <Charts id={id} running={!ended} />
        <Pace progress={figures} />
      </div>
      {ended && <Summary id={id} />}
      <People id={id} name={data.name} />
      <Words campaign={data} />
    </>
  );
}
