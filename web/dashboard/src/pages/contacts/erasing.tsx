import type { QueryClient } from "@tanstack/preact-query";
import { confirm } from "~/parts/dialog";
import { notify } from "~/parts/notice";
import { tell } from "~/parts/worded";
import { eraseContact } from "~/queries/contact-changes";
import type { ContactLine } from "~/queries/roll";
import { language } from "~/texts/language";
import { contacts } from "./texts";

/** Ask, then erase a person; returns whether it was wanted. What becomes of it is said in the corner. */
export async function askToErase(client: QueryClient, line: ContactLine): Promise<boolean> {
  const t = contacts.in(language.get());
  const who = line.name ?? line.phone;
  const wanted = await confirm({
    title: t.person.eraseTitle(who),
    consequence: <p>{t.bulk.removeText}</p>,
    action: t.person.erase,
    danger: true,
  });
  if (!wanted) return false;
  eraseContact(client, line)
    .then(() => notify("done", t.person.erased(who)))
    .catch((error: unknown) => tell(error, t.problems));
  return true;
}
