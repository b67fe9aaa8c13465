import { QueryClient } from "@tanstack/preact-query";
import { beforeEach, describe, expect, it } from "vitest";
import { keys } from "~/queries/campaigns";
import { write } from "./write";

const ID = "019a0000-0000-7000-8000-000000000001";
const figures = { campaign_id: ID, status: "sending", reason: "", total: 10, sent: 3, interactions: 1, message_2_sent: 0, failed_count: 0 };
let client: QueryClient;

beforeEach(() => {
  client = new QueryClient();
  client.setQueryData(keys.campaigns, { pages: [{ items: [{ id: ID, name: "Spring", sent: 0 }], next_cursor: null }], pageParams: [null] });
});

function line(): Record<string, unknown> | undefined {
  return client.getQueryData<{ pages: { items: Record<string, unknown>[] }[] }>(keys.campaigns)?.pages[0]?.items[0];
}

describe("the live stream", () => {
  it("renews the figures of a campaign and its line in the list", () => {
    write(client, [{ kind: "progress", data: figures }]);
    expect(client.getQueryData(keys.progress(ID))).toEqual(figures);
    expect(line()).toMatchObject({ name: "Spring", sent: 3, status: "sending" });
  });

  it("adds what a campaign gained to the figures of all of them", () => {
    client.setQueryData(["totals"], { sent: 100, interactions: 10 });
    client.setQueryData(keys.progress(ID), { ...figures, sent: 1, interactions: 1 });
    write(client, [{ kind: "progress", data: figures }]);
    expect(client.getQueryData(["totals"])).toEqual({ sent: 102, interactions: 10 });
    write(client, [{ kind: "progress", data: { ...figures, campaign_id: "019a0000-0000-7000-8000-000000000009" } }]);
    expect(client.getQueryState(["totals"])?.isInvalidated).toBe(true);
  });

  it("makes the list ask again when it lacks a campaign", () => {
    write(client, [{ kind: "campaign", data: { id: "019a0000-0000-7000-8000-000000000002", name: "New", status: "draft" } }]);
    expect(client.getQueryState(keys.campaigns)?.isInvalidated).toBe(true);
    expect(line()).toMatchObject({ name: "Spring", sent: 0 });
  });

  it("ignores what it does not know", () => {
    write(client, [{ kind: "weather", data: {} }]);
    expect(line()).toMatchObject({ sent: 0 });
  });

  it("leaves contacts alone until an import ends", () => {
    client.setQueryData(["contacts", ""], []);
    write(client, [{ kind: "import", data: { id: ID, state: "running" } }]);
    expect(client.getQueryState(["contacts", ""])?.isInvalidated).toBe(false);
    write(client, [{ kind: "import", data: { id: ID, state: "completed" } }]);
    expect(client.getQueryState(["contacts", ""])?.isInvalidated).toBe(true);
  });
});
