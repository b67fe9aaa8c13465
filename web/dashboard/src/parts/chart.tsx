import { useEffect, useRef } from "preact/hooks";
import { language } from "~/texts/language";
import { theme } from "~/theme";
import { useStore } from "~/store";

export interface Curve {
  label: string;
  /** A custom property of the colours, e.g. `--accent`. */
  colour: string;
  values: number[];
  bars?: boolean;
}

/** Curves over time. The library comes when the first chart is shown. */
export function Chart({ label, at, curves, height = 180 }: { label: string; at: number[]; curves: Curve[]; height?: number }) {
  const box = useRef<HTMLDivElement>(null);
  const look = useStore(theme);
  const spoken = useStore(language);
  const drawn = useRef<{ setData: (data: [number[], ...number[][]]) => void; destroy: () => void } | null>(null);
  const data: [number[], ...number[][]] = [at, ...curves.map((curve) => curve.values)];
  const newest = useRef(data);
  newest.current = data;
  const names = curves.map((curve) => curve.label).join();
  useEffect(() => {
    const into = box.current;
    if (!into) return undefined;
    let gone = false;
    let stop = (): void => undefined;
    void import("./curves").then(({ draw }) => {
      if (gone) return;
      const plot = draw(into, newest.current, curves, height, spoken === "fr" ? "fr-FR" : "en-GB");
      drawn.current = plot;
      const watching = new ResizeObserver(() => plot.setSize({ width: into.clientWidth, height }));
      watching.observe(into);
      const dark = matchMedia("(prefers-color-scheme: dark)");
      const redraw = (): void => plot.redraw();
      dark.addEventListener("change", redraw);
      stop = () => {
        watching.disconnect();
        dark.removeEventListener("change", redraw);
        plot.destroy();
        drawn.current = null;
      };
    });
    return () => {
      gone = true;
      stop();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- new values are set below, without drawing anew
  }, [look, spoken, names, height]);
  useEffect(() => drawn.current?.setData(newest.current));
  return (
    <figure class="chart">
      <div ref={box} class="chart-box" style={{ minHeight: `${height}px` }} role="img" aria-label={label} />
      <figcaption class="row legend fine muted">
        {curves.map((curve) => (
          <span key={curve.label} class={`legend-${curve.colour.replace("--", "")}`}>
            {curve.label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
