import { useRef, useState } from "preact/hooks";
import { bytes } from "~/format";
import { Icon } from "~/parts/icon";
import { useTexts } from "~/texts/language";
import { contacts } from "./texts";

/** The place where a file is dropped or chosen. */
export function Drop({ file, onFile }: { file: File | null; onFile: (file: File) => void }) {
  const t = useTexts(contacts);
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    <label
      class={over ? "import-drop import-over" : "import-drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const dropped = event.dataTransfer?.files[0];
        if (dropped) onFile(dropped);
      }}
    >
      <Icon name="upload" size={24} />
      {file ? (
        <>
          <b>{file.name}</b>
          <span>
            {bytes(file.size)} · {t.files.another}
          </span>
        </>
      ) : (
        <b>{t.files.drop}</b>
      )}
      <input
        ref={input}
        class="unseen"
        type="file"
        aria-label={t.files.choose}
        accept=".csv,.tsv,.txt,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen) onFile(chosen);
        }}
      />
    </label>
  );
}
