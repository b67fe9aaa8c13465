import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Curve } from "./chart";

/** Seconds between two names on the axis of time: figures are kept by the minute. */
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 4320].map((minutes) => minutes * 60);

/** Return a colour of ours as the page shows it just now: canvases know no custom properties. */
function colour(name: string, within: HTMLElement): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  within.append(probe);
  const shown = getComputedStyle(probe).color;
  probe.remove();
  return shown;
}

/** Draw curves into a box. */
export function draw(into: HTMLElement, data: [number[], ...number[][]], curves: Curve[], height: number, locale: string): uPlot {
  const size = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.72;
  const font = `${size}px system-ui, sans-serif`;
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, notation: "compact" });
  const ink = (): string => colour("--muted", into);
  const axis = { stroke: ink, font, ticks: { show: false }, grid: { stroke: () => colour("--line", into), width: 1 } };
  const bars = uPlot.paths.bars?.({ size: [0.7, 40], radius: 0.15 });
  return new uPlot(
    {
      width: into.clientWidth,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 16, 0, 0],
      scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [
        { ...axis, grid: { show: false }, space: size * 6, size: size * 2.4, incrs: MINUTES, values: (_, at) => at.map((second) => clock.format(second * 1000)) },
        { ...axis, size: size * 4.5, values: (_, at) => at.map((value) => whole.format(value)), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000] },
      ],
      series: [
        {},
        ...curves.map((curve) => ({
          label: curve.label,
          stroke: () => colour(curve.colour, into),
          width: 2,
          points: { show: false },
          ...(curve.bars && bars ? { fill: () => colour(curve.colour, into), paths: bars, width: 0 } : {}),
        })),
      ],
    },
    data,
    into,
  );
}
