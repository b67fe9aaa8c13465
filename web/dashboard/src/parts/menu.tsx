import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon";

interface Entry {
  label: string;
  act: () => void;
  danger?: boolean;
}

/** A few rarer acts behind a button. Arrows move, Escape closes, a click elsewhere too. */
export function Menu({ label, entries }: { label: string; entries: Entry[] }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const elsewhere = (event: Event): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [open]);
  function close(): void {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (!open) return;
    if (event.key === "Escape" || event.key === "Tab") close();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
  }
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <button class="button" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="dots" size={16} />
        <span class="unseen">{label}</span>
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={label}>
          {entries.map((entry) => (
            <button
              key={entry.label}
              role="menuitem"
              class={entry.danger ? "menu-danger" : undefined}
              onClick={() => {
                close();
                entry.act();
              }}
            >
              {entry.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
