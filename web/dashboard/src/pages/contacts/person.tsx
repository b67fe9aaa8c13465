import { useQuery, useQueryClient } from "@tanstack/preact-query";
import { moment, shortMoment } from "~/format";
import { confirm, Dialog } from "~/parts/dialog";
import { Badge, BoneRows } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Trouble } from "~/parts/problem";
import { tell } from "~/parts/worded";
import { type Contact, changeContact } from "~/queries/contact-changes";
import { contact } from "~/queries/contact-list";
import { repliesOf } from "~/queries/replies";
import { useMay } from "~/session";
import { useTexts } from "~/texts/language";
import { askToErase } from "./erasing";
import { PersonForm } from "./form";
import { contacts } from "./texts";

/** One person, at the side: who it is, what they answered, and what can be done. */
export function Person({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useTexts(contacts);
  const { data, error, refetch } = useQuery(contact(id));
  return (
    <Dialog side title={data?.name ?? data?.phone ?? t.person.title} onClose={onClose}>
      {error && !data && (
        <div class="dialog-body">
          <Trouble error={error} again={() => void refetch()} />
        </div>
      )}
      {!data && !error && <BoneRows />}
      {data && <Known person={data} onClose={onClose} />}
    </Dialog>
  );
}

function Known({ person, onClose }: { person: Contact; onClose: () => void }) {
  const t = useTexts(contacts);
  const client = useQueryClient();
  const mayAct = useMay("operator");
  const who = person.name ?? person.phone;

  async function opt(out: boolean): Promise<void> {
    const sure = await confirm({
      title: out ? t.person.optOutTitle(who) : t.bulk.optInTitle(who),
      consequence: <p>{out ? t.bulk.optOutText : t.bulk.optInText}</p>,
      action: out ? t.person.optOut : t.person.optIn,
      danger: out,
    });
    if (!sure) return;
    changeContact(client, person, { opted_out: out })
      .then(() => notify("done", t.person.saved(who)))
      .catch((error: unknown) => tell(error, t.problems));
  }

  const erase = async (): Promise<void> => {
    if (await askToErase(client, person)) onClose();
  };

  return (
    <>
      <div class="dialog-body contacts-person">
        <div class="row">
          <a class="button button-small" href={`https://wa.me/${person.phone.replace(/\D/g, "")}`} target="_blank" rel="noreferrer">
            <Icon name="external" size={16} />
            {t.person.openWhatsApp}
          </a>
          <a class="button button-small" href={`/api/contacts/${person.id}/export`} download>
            <Icon name="download" size={16} />
            {t.person.data}
          </a>
        </div>
        <dl class="contacts-facts">
          <dt>{t.person.phone}</dt>
          <dd class="tabular">{person.phone}</dd>
          <dt>{t.columns.state}</dt>
          <dd>{person.opted_out_at ? <Badge tone="warn">{t.person.optedOutSince(shortMoment(person.opted_out_at))}</Badge> : t.stateIn}</dd>
          <dt>{t.person.added}</dt>
          <dd>{moment(person.created_at)}</dd>
        </dl>
        <PersonForm key={person.updated_at} person={person} mayAct={mayAct} />
        <Answers id={person.id} />
      </div>
      {mayAct && (
        <footer class="dialog-foot contacts-foot">
          <button class="button" onClick={() => void erase()}>
            <Icon name="trash" />
            {t.person.erase}
          </button>
          <button class="button" onClick={() => void opt(person.opted_out_at === null)}>
            {person.opted_out_at ? t.person.optIn : t.person.optOut}
          </button>
          <button class="button button-main" form="person-form">
            {t.person.save}
          </button>
        </footer>
      )}
    </>
  );
}

function Answers({ id }: { id: string }) {
  const t = useTexts(contacts);
  const { data } = useQuery(repliesOf(id));
  return (
    <section class="stack contacts-answers">
      <h3>{t.person.answers}</h3>
      {data?.items.length === 0 && <p class="muted">{t.person.noAnswers}</p>}
      <ol>
        {data?.items.map((reply) => (
          <li key={reply.id}>
            <time class="muted fine">{shortMoment(reply.at)}</time>
            <p>{reply.body ?? reply.type}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}
