import { useInfiniteQuery } from "@tanstack/preact-query";
import { useMemo } from "preact/hooks";
import { number } from "~/format";
import { BoneRows, Card, Empty, PageHead } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { Trouble } from "~/parts/problem";
import { campaigns } from "~/queries/campaigns";
import { replies as list, repliesFile } from "~/queries/replies";
import { ask, place } from "~/router";
import { useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { filterOf } from "./filter";
import { useNewest } from "./newest";
import { isRead, markReadUpTo, read } from "./reading";
import { Answer } from "./reply";
import { replies } from "./texts";
import { Toolbar } from "./toolbar";
import "./page.css";

/** What people answered. */
export default function Replies() {
  const t = useTexts(replies);
  const words = useTexts(common);
  const query = useStore(place)?.query.toString() ?? "";
  const filter = useMemo(() => filterOf(new URLSearchParams(query)), [query]);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(list(filter));
  const known = useInfiniteQuery(campaigns()).data?.pages.flatMap((page) => page.items) ?? [];
  const seen = useStore(read);
  useNewest(filter);
  const lines = data?.pages.flatMap((page) => page.items);
  const unread = lines?.filter((one) => !isRead(one.id, seen)).length ?? 0;
  const newest = lines?.[0];
  return (
    <>
      <PageHead title={t.title} lead={t.lead}>
        <a class="button" href={repliesFile(filter)} download>
          <Icon name="download" />
          {t.export}
        </a>
        <button class="button" disabled={unread === 0} onClick={() => newest && markReadUpTo(newest.id)}>
          <Icon name="check" />
          {t.markAll}
        </button>
      </PageHead>
      <Card flush>
        <Toolbar filter={filter} campaigns={known} unread={unread > 0 ? t.unread(hasNextPage ? `${number(unread)}+` : number(unread)) : ""} />
        {error && !lines && <Trouble error={error} again={() => void refetch()} />}
        {!lines && !error && <BoneRows many={8} />}
        {lines?.length === 0 && <Nothing narrow={query !== ""} />}
        {lines && lines.length > 0 && (
          <ol class="replies">
            {lines.map((one) => (
              <Answer key={one.id} reply={one} isUnread={!isRead(one.id, seen)} campaign={known.find(({ id }) => id === one.campaign_id)?.name} />
            ))}
          </ol>
        )}
      </Card>
      {hasNextPage && (
        <button class="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? words.act.loading : words.act.more}
        </button>
      )}
    </>
  );
}

function Nothing({ narrow }: { narrow: boolean }) {
  const t = useTexts(replies);
  if (narrow) {
    return (
      <Empty icon="search" title={t.noneHere}>
        <p>{t.noneHereText}</p>
        <button class="button" onClick={() => ask({ campaign: null, type: null, show: null })}>
          {t.showAll}
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="replies" title={t.none}>
      <p>{t.noneText}</p>
      <a class="button" href="/campaigns">
        {t.toCampaigns}
      </a>
    </Empty>
  );
}
