import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { store, useStore } from "~/store";
import { common } from "~/texts";
import { useTexts } from "~/texts/language";
import { Icon } from "./icon";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** At the side, for long contents. */
  side?: boolean;
}

/** A native modal dialog: focus stays inside, Escape closes, and goes back to where it came from. */
export function Dialog({ title, onClose, children, side }: DialogProps) {
  const t = useTexts(common);
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={side ? "dialog dialog-side" : "dialog"}
      aria-labelledby={name}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === box.current) onClose();
      }}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={name}>{title}</h2>
          <button class="button-bare" aria-label={t.act.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  /** What will happen, in whole sentences. */
  consequence: ComponentChildren;
  /** What the button says: the verb, never "OK". */
  action: string;
  danger?: boolean;
}

const asked = store<{ question: Question; answer: (yes: boolean) => void } | null>(null);

/** Ask before something that sends, stops or removes. */
export function confirm(question: Question): Promise<boolean> {
  asked.get()?.answer(false);
  return new Promise((resolve) =>
    asked.set({
      question,
      answer: (yes) => {
        asked.set(null);
        resolve(yes);
      },
    }),
  );
}

/** The place where questions appear. */
export function Questions() {
  const t = useTexts(common);
  const open = useStore(asked);
  if (!open) return null;
  const { question, answer } = open;
  return (
    <Dialog title={question.title} onClose={() => answer(false)}>
      <div class="dialog-body">{question.consequence}</div>
      <footer class="dialog-foot">
        <button class="button" autofocus onClick={() => answer(false)}>
          {t.act.back}
        </button>
        <button class={question.danger ? "button button-danger" : "button button-main"} onClick={() => answer(true)}>
          {question.action}
        </button>
      </footer>
    </Dialog>
  );
}
