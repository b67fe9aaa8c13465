import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { remove } from "~/api/client";
import { day, shortMoment } from "~/format";
import { confirm } from "~/parts/dialog";
import { Badge, BoneRows, Card, Empty } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { tell } from "~/parts/worded";
import { type Key, type MadeKey, apiKeys } from "~/queries/accounts";
import { useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { KeptKey, NewKey } from "./key-forms";
import { Section } from "./sections";
import { settings } from "./texts";

/** Keys for programs. */
export default function Keys() {
  const t = useTexts(settings);
  const isOpen = useMay("operator");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const add = (
    <button class="button button-main" onClick={() => setMaking(true)}>
      <Icon name="plus" />
      {t.keys.add}
    </button>
  );
  return (
    <Section name="keys" lead={t.keys.lead} acts={add}>
      {isOpen && <List onAdd={() => setMaking(true)} />}
      {making && (
        <NewKey
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
      {made && <KeptKey made={made} onClose={() => setMade(null)} />}
    </Section>
  );
}

function List({ onAdd }: { onAdd: () => void }) {
  const t = useTexts(settings);
  const { data, error, refetch } = useQuery(apiKeys());
  return (
    <>
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      <Card flush>
        {!data && !error && <BoneRows many={3} />}
        {data?.items.length === 0 && (
          <Empty icon="shield" title={t.keys.none}>
            <p>{t.keys.noneText}</p>
            <button class="button" onClick={onAdd}>
              {t.keys.add}
            </button>
          </Empty>
        )}
        {data && data.items.length > 0 && (
          <div class="table-wrap" role="region" aria-label={t.sections.keys} tabIndex={0}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">{t.keys.name}</th>
                  <th scope="col">{t.keys.begins}</th>
                  <th scope="col">{t.keys.role}</th>
                  <th scope="col">{t.keys.state}</th>
                  <th scope="col">{t.keys.by}</th>
                  <th scope="col">{t.keys.used}</th>
                  <th scope="col">
                    <span class="unseen">{t.keys.revoke}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((key) => (
                  <Row key={key.id} line={key} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
    </>
  );
}

function Row({ line }: { line: Key }) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const client = useQueryClient();
  const isOver = line.expires_at !== null && new Date(line.expires_at) < new Date();

  async function revoke(): Promise<void> {
    const sure = await confirm({ title: t.keys.revokeTitle(line.name), consequence: <p>{t.keys.revokeText}</p>, action: t.keys.revoke, danger: true });
    if (!sure) return;
    try {
      await remove("/api/keys/{key_id}", { path: { key_id: line.id } });
      notify("done", t.keys.revokedDone(line.name));
    } catch (error) {
      tell(error, t.problems);
    }
    await client.invalidateQueries({ queryKey: apiKeys().queryKey });
  }

  return (
    <tr>
      <td>
        <b class="people-name">{line.name}</b>
        {line.areas && <span class="muted fine"> {line.areas.join(", ")}</span>}
      </td>
      <td>
        <code>{line.prefix}…</code>
      </td>
      <td>{words.account.roles[line.role]}</td>
      <td>
        {line.revoked_at ? (
          <Badge tone="neutral">{t.keys.revoked}</Badge>
        ) : isOver ? (
          <Badge tone="warn">{t.keys.expired}</Badge>
        ) : (
          <Badge tone="good">{line.expires_at ? `${t.keys.expires} ${day(line.expires_at)}` : t.keys.valid}</Badge>
        )}
      </td>
      <td class="muted fine">{line.created_by}</td>
      <td class="muted fine">{line.last_used_at ? shortMoment(line.last_used_at) : t.keys.unused}</td>
      <td class="people-acts">
        {!line.revoked_at && (
          <button class="button button-small" aria-label={t.keys.revokeOf(line.name)} onClick={() => void revoke()}>
            {t.keys.revoke}
          </button>
        )}
      </td>
    </tr>
  );
}
