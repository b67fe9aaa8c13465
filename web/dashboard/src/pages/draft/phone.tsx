import { useTexts } from "~/texts/language";
import { type Person, type Stretch, fill } from "./template";
import { draft as texts } from "./texts";

/** The texts as a phone shows them to one person; what is lacking stands out. */
export function Phone({ message1, message2, person }: { message1: string; message2: string; person: Person }) {
  const t = useTexts(texts);
  return (
    <div class="phone" data-phone>
      <p class="phone-who fine muted">{t.previewFor(person.name ?? t.previewNobody)}</p>
      {message1.trim() === "" ? (
        <p class="fine muted">{t.previewEmpty}</p>
      ) : (
        <>
          <Bubble stretches={fill(message1, person)} />
          {message2.trim() !== "" && (
            <>
              <p class="phone-bubble phone-theirs">
                <span class="unseen">{t.previewReplyLabel}: </span>
                {t.previewReply}
              </p>
              <Bubble stretches={fill(message2, person)} />
            </>
          )}
        </>
      )}
    </div>
  );
}

const MARKS = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~)/;

function Bubble({ stretches }: { stretches: Stretch[] }) {
  const t = useTexts(texts);
  return (
    <p class="phone-bubble">
      {stretches.map((one, index) =>
        one.kind === "hole" ? (
          <mark key={index} class="hole">
            {t.lacks(one.text.replace(/^attributes\./, ""))}
          </mark>
        ) : one.kind === "text" ? (
          <Marked key={index} text={one.text} />
        ) : (
          <span key={index} class={`put put-${one.kind}`}>
            {one.text}
          </span>
        ),
      )}
    </p>
  );
}

/** WhatsApp's own marks: *bold*, _slanted_, ~struck~. */
function Marked({ text }: { text: string }) {
  return (
    <>
      {text.split(MARKS).map((part, index) => {
        const inner = part.slice(1, -1);
        if (!MARKS.test(part)) return part;
        if (part.startsWith("*")) return <b key={index}>{inner}</b>;
        return part.startsWith("_") ? <i key={index}>{inner}</i> : <s key={index}>{inner}</s>;
      })}
    </>
  );
}
