import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { patch, remove } from "~/api/client";
import { shortMoment } from "~/format";
import { confirm } from "~/parts/dialog";
import { Badge, BoneRows, Card } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { tell } from "~/parts/worded";
import { type User, people } from "~/queries/accounts";
import { type Role, me, useMay } from "~/session";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { NewPassword, NewUser } from "./person-forms";
import { Section } from "./sections";
import { settings } from "./texts";

const ROLES: Role[] = ["viewer", "operator", "admin"];

/** Who may log in. */
export default function People() {
  const t = useTexts(settings);
  const isAdmin = useMay("admin");
  const [adding, setAdding] = useState(false);
  return (
    <Section
      name="people"
      lead={t.people.lead}
      acts={
        <button class="button button-main" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {t.people.add}
        </button>
      }
    >
      {isAdmin && <List />}
      {adding && <NewUser onClose={() => setAdding(false)} />}
    </Section>
  );
}

function List() {
  const t = useTexts(settings);
  const { data, error, refetch } = useQuery(people());
  const [naming, setNaming] = useState<User | null>(null);
  return (
    <>
      {error && !data && <Trouble error={error} again={() => void refetch()} />}
      <Card flush>
        {!data && !error && <BoneRows many={3} />}
        {data && (
          <div class="table-wrap" role="region" aria-label={t.sections.people} tabIndex={0}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">{t.people.email}</th>
                  <th scope="col">{t.people.role}</th>
                  <th scope="col">{t.people.state}</th>
                  <th scope="col">{t.people.lastLogin}</th>
                  <th scope="col">
                    <span class="unseen">{t.people.remove}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((user) => (
                  <Row key={user.id} user={user} onPassword={() => setNaming(user)} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      {naming && <NewPassword user={naming} onClose={() => setNaming(null)} />}
    </>
  );
}

function Row({ user, onPassword }: { user: User; onPassword: () => void }) {
  const t = useTexts(settings);
  const words = useTexts(common);
  const client = useQueryClient();
  const { data: person } = useQuery(me());
  const isMe = person?.user_id === user.id;
  const who = user.name || user.email;

  async function change(body: { role?: Role; disabled?: boolean }): Promise<void> {
    try {
      await patch("/api/users/{user_id}", { path: { user_id: user.id }, body });
      notify("done", t.people.saved(who));
    } catch (error) {
      tell(error, t.problems);
    }
    await client.invalidateQueries({ queryKey: people().queryKey });
  }

  async function disable(): Promise<void> {
    const sure = await confirm({ title: t.people.disableTitle(who), consequence: <p>{t.people.disableText}</p>, action: t.people.disable, danger: true });
    if (sure) await change({ disabled: true });
  }

  async function erase(): Promise<void> {
    const sure = await confirm({ title: t.people.removeTitle(who), consequence: <p>{t.people.removeText}</p>, action: t.people.remove, danger: true });
    if (!sure) return;
    try {
      await remove("/api/users/{user_id}", { path: { user_id: user.id } });
      notify("done", t.people.removed(who));
    } catch (error) {
      tell(error, t.problems);
    }
    await client.invalidateQueries({ queryKey: people().queryKey });
  }

  return (
    <tr>
      <td>
        <b class="people-name">{user.email}</b>
        {user.name && <span class="muted fine"> {user.name}</span>}
        {isMe && <span class="muted fine"> ({t.people.you})</span>}
      </td>
      <td>
        <select class="select people-role" aria-label={t.people.roleOf(who)} value={user.role} disabled={isMe} onChange={(event) => void change({ role: event.currentTarget.value as Role })}>
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {words.account.roles[role]}
            </option>
          ))}
        </select>
      </td>
      <td>{user.disabled_at ? <Badge tone="warn">{t.people.disabled}</Badge> : <Badge tone="good">{t.people.active}</Badge>}</td>
      <td class="muted fine">{user.last_login_at ? shortMoment(user.last_login_at) : t.people.never}</td>
      <td class="people-acts">
        {!isMe && (
          <>
            <button class="button button-small" aria-label={t.people.newPasswordOf(who)} onClick={onPassword}>
              {t.people.password}
            </button>
            <button class="button button-small" onClick={() => void (user.disabled_at ? change({ disabled: false }) : disable())}>
              {user.disabled_at ? t.people.enable : t.people.disable}
            </button>
            <button class="button-bare" title={t.people.remove} aria-label={t.people.removeTitle(who)} onClick={() => void erase()}>
              <Icon name="trash" />
            </button>
          </>
        )}
      </td>
    </tr>
  );
}
