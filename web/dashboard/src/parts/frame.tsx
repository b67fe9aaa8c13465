import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon, type IconName } from "./icon";

/** The head of a page: its title takes the focus when one arrives, and names the tab. */
export function PageHead({ title, lead, children }: { title: string; lead?: ComponentChildren; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Relance`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p class="muted">{lead}</p>}
      </div>
      {children && <div class="page-acts">{children}</div>}
    </header>
  );
}

/** A card with a title. */
export function Card({
  title,
  acts,
  flush,
  children,
  id,
}: {
  title?: ComponentChildren;
  acts?: ComponentChildren;
  flush?: boolean;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class={flush ? "card card-flush" : "card"} id={id}>
      {title && (
        <header class="card-head">
          <h2>{title}</h2>
          {acts}
        </header>
      )}
      {children}
    </section>
  );
}

/** Where nothing is yet: what to do next. */
export function Empty({ icon = "empty", title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** A grey bone in the place of what is on its way. */
export function Bone({ kind = "line" }: { kind?: "line" | "title" | "card" | "block" | "row" }) {
  return <i class={`bone bone-${kind}`} aria-hidden="true" />;
}

/** So many rows on their way. */
export function BoneRows({ many = 5 }: { many?: number }) {
  return (
    <div class="bone-rows" aria-busy="true">
      {Array.from({ length: many }, (_, index) => (
        <Bone key={index} kind="row" />
      ))}
    </div>
  );
}

export type Tone = "neutral" | "good" | "busy" | "warn" | "bad";

/** A state in one word, with a dot of its colour. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

/** One figure under its name. */
export function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: ComponentChildren;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: Tone;
}) {
  return (
    <div class={tone ? `figure figure-${tone}` : "figure"}>
      <dt>{label}</dt>
      <dd>
        {value}
        {note !== undefined && note !== null && <span class="figure-note">{note}</span>}
      </dd>
    </div>
  );
}

/** How much of something, as a bar; `parts` lie one behind the other. */
export function Meter({
  label,
  most,
  parts,
}: {
  label: string;
  most: number;
  parts: { value: number; tone: Tone | "accent" | "soft" }[];
}) {
  const whole = Math.max(1, most);
  const value = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={whole} aria-valuenow={Math.min(value, whole)}>
      {parts.map((part, index) => (
        <i key={index} class={`meter-${part.tone}`} style={{ width: `${Math.min(100, (100 * part.value) / whole)}%` }} />
      ))}
    </div>
  );
}
