import { type ComponentChildren, cloneElement, type VNode } from "preact";
import { useId } from "preact/hooks";

/** A control under its name, with help and what is wrong with it, tied together for a screen reader. */
export function Field({
  label,
  help,
  error,
  children,
}: {
  label: ComponentChildren;
  help?: ComponentChildren;
  error?: ComponentChildren;
  children: VNode;
}) {
  const id = useId();
  const told = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {cloneElement(children, { id, "aria-describedby": told || undefined, "aria-invalid": error ? "true" : undefined })}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** Return what was typed into a form's control of this name; empty where there is none. */
export function textOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}
