/** One stretch of a filled text: as written, put in from the contact, put in by default, or lacking. */
export interface Stretch {
  kind: "text" | "value" | "default" | "hole";
  text: string;
}

const PLACEHOLDER = /\{\{\s*([^{}|]+?)\s*(?:\|([^{}]*))?\}\}/g;

/** What is known of the person a text is shown for. */
export interface Person {
  name: string | null;
  attributes: Record<string, unknown>;
}

/** Fill a text for one person, the way `rules/text.py` does, and say where each stretch comes from. */
export function fill(template: string, person: Person): Stretch[] {
  const stretches: Stretch[] = [];
  let from = 0;
  for (const found of template.matchAll(PLACEHOLDER)) {
    const [whole, name = "", otherwise] = found;
    if (found.index > from) stretches.push({ kind: "text", text: template.slice(from, found.index) });
    from = found.index + whole.length;
    const value = valueOf(name, person);
    if (value) stretches.push({ kind: "value", text: value });
    else if (otherwise !== undefined) stretches.push({ kind: "default", text: otherwise });
    else stretches.push({ kind: "hole", text: name });
  }
  if (from < template.length) stretches.push({ kind: "text", text: template.slice(from) });
  return stretches;
}

function valueOf(name: string, person: Person): string {
  const value = name === "name" ? person.name : person.attributes[name.replace(/^attributes\./, "")];
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}

/** Whether a text has braces that open and do not close, or the other way round. */
export function isBroken(template: string): boolean {
  return /\{\{|\}\}/.test(template.replace(PLACEHOLDER, ""));
}
