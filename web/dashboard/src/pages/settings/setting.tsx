import { useQueryClient } from "@tanstack/preact-query";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Wire, patch } from "~/api/client";
import { decimal } from "~/format";
import { Badge } from "~/parts/frame";
import { Icon } from "~/parts/icon";
import { notify } from "~/parts/notice";
import { Worded } from "~/parts/worded";
import { config, senders } from "~/queries/service";
import { useTexts } from "~/texts/language";
import { settings } from "./texts";

type InForce = Wire<"SettingInForce">;

/** One setting, and its change in the same place. */
export function Setting({ name, setting, mayChange }: { name: string; setting: InForce; mayChange: boolean }) {
  const t = useTexts(settings);
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [label, explained] = t.names[name] ?? [name, setting.description];

  async function change(value: string | number | null): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      client.setQueryData(config().queryKey, await patch("/api/config", { body: { [name]: value } }));
      void client.invalidateQueries({ queryKey: senders().queryKey });
      notify("done", t.pace.saved(label));
      setOpen(false);
    } catch (refused) {
      setError(refused);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="setting" data-setting={name}>
      <dt>
        <b>{label}</b>
        <p class="muted fine">{explained}</p>
        <code class="muted">{name}</code>
      </dt>
      <dd>
        {open ? (
          <Change name={name} label={label} setting={setting} busy={busy} onSave={(value) => void change(value)} onClose={() => setOpen(false)} />
        ) : (
          <>
            <span class="setting-value tabular">{shown(name, setting.value, t)}</span>
            <span class="setting-about">
              <Badge tone={setting.source === "configuration" ? "busy" : "neutral"}>{t.pace.sources[setting.source] ?? setting.source}</Badge>
              {setting.bounds && <span class="muted fine tabular">{range(setting, t)}</span>}
            </span>
            {mayChange && setting.changeable ? (
              <button class="button-bare" title={t.pace.change} aria-label={t.pace.changeOf(label)} onClick={() => setOpen(true)}>
                <Icon name="edit" />
              </button>
            ) : (
              <span class="setting-fixed muted" title={setting.changeable ? undefined : t.pace.fixed} />
            )}
          </>
        )}
        {error !== null && open && <Worded error={error} problems={t.problems} />}
      </dd>
    </div>
  );
}

interface ChangeProps {
  name: string;
  label: string;
  setting: InForce;
  busy: boolean;
  onSave: (value: string | number | null) => void;
  onClose: () => void;
}

function Change({ name, label, setting, busy, onSave, onClose }: ChangeProps) {
  const t = useTexts(settings);
  const [value, setValue] = useState(String(setting.value));
  const input = useRef<HTMLInputElement>(null);
  const choice = useRef<HTMLSelectElement>(null);
  useEffect(() => (input.current ?? choice.current)?.focus(), []);
  const bounds = setting.bounds;
  return (
    <form
      class="setting-change"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(setting.allowed ? value : Number(value));
      }}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      {setting.allowed ? (
        <select class="select" aria-label={label} value={value} ref={choice} onChange={(event) => setValue(event.currentTarget.value)}>
          {setting.allowed.map((one) => (
            <option key={one} value={one}>
              {shown(name, one, t)}
            </option>
          ))}
        </select>
      ) : (
        <input
          type="number"
          aria-label={label}
          aria-describedby={`${name}-range`}
          value={value}
          step="any"
          required
          {...(bounds ? { min: bounds[0], max: bounds[1] } : {})}
          ref={input}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      )}
      {bounds && (
        <span class="muted fine tabular" id={`${name}-range`}>
          {range(setting, t)}
        </span>
      )}
      <span class="row">
        <button class="button button-main" disabled={busy}>
          {t.pace.save}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {t.cancel}
        </button>
        {setting.source === "configuration" && (
          <button type="button" class="button-link fine" disabled={busy} onClick={() => onSave(null)}>
            {t.pace.back}
          </button>
        )}
      </span>
    </form>
  );
}

type Words = ReturnType<typeof settings.in>;

function range({ bounds }: InForce, t: Words): string {
  return bounds ? t.pace.range(decimal(bounds[0] ?? 0, 4), decimal(bounds[1] ?? 0, 4)) : "";
}

function unitOf(name: string): string {
  if (name.endsWith("_SECONDS")) return "seconds";
  if (name.endsWith("_TIMEOUT_HOURS") || name.endsWith("WINDOW_HOURS") || name.endsWith("REST_HOURS")) return "hours";
  if (name.endsWith("_DAYS")) return "days";
  if (name.endsWith("PER_SECOND")) return "perSecond";
  return name === "DELAY_INCREASE_FACTOR" ? "times" : "share";
}

function shown(name: string, value: unknown, t: Words): string {
  if (typeof value === "number") {
    const unit = t.pace.units[unitOf(name)];
    return unit ? `${decimal(value, 4)} ${unit}` : decimal(value, 4);
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text === "") return t.pace.none;
  return t.pace.profiles[text] ?? t.pace.exhausted[text] ?? text;
}
