import type { components } from "~wire";

/** What the service answers when it refuses: RFC 9457, with a stable `code`. */
export type ProblemDocument = components["schemas"]["Problem"] & Record<string, unknown>;

/** A request that did not succeed. `status` 0: no answer came at all. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly document: ProblemDocument | null;

  constructor(status: number, code: string, detail: string, document: ProblemDocument | null = null) {
    super(detail);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.document = document;
  }

  /** Whether asking again may help: nothing answered, or the service said "later". */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500 || this.code === "rate_limited";
  }
}

/** Read the refusal out of an answer; a proxy's page is one too. */
export async function refusalOf(answer: Response): Promise<Refusal> {
  if (answer.headers.get("content-type")?.startsWith("application/problem+json")) {
    const document = (await answer.json()) as ProblemDocument;
    return new Refusal(answer.status, document.code, document.detail, document);
  }
  return new Refusal(answer.status, "unreadable", `HTTP ${answer.status}`);
}

/** Return `error` as a refusal: what was thrown before an answer came is "offline". */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(0, "offline", error instanceof Error ? error.message : String(error));
}
