import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Span, placeOf, spanOf } from "./span";
import "./rows.css";

interface RowsProps {
  label: string;
  many: number;
  /** Height of a row, in rem. */
  height: number;
  head: ComponentChildren;
  /** What stands in a row; the row itself is drawn here. */
  row: (index: number) => VNode;
  isSelected?: (index: number) => boolean;
  /** Enter, or a click. */
  onOpen: (index: number) => void;
  /** Space; with Shift everything since the last one. */
  onToggle?: (index: number, range: boolean) => void;
  onDelete?: (index: number) => void;
  /** Which rows are on the screen. */
  onLook: (from: number, to: number) => void;
}

/**
 * A grid of as many rows as one likes, of which only those on the screen exist; their elements are used again and
 * again. Arrows, Page up and down, Home and End move; Enter opens, Space chooses, Delete asks to delete.
 */
export function Rows(props: RowsProps) {
  const { label, many, head, row, isSelected, onLook } = props;
  const box = useRef<HTMLDivElement>(null);
  const height = useRowHeight(props.height);
  const [span, setSpan] = useState<Span>({ first: 0, last: Math.min(many, 20), shift: 0, whole: many * height });
  const [active, setActive] = useState(0);

  const measure = (): void => {
    const grid = box.current;
    if (!grid) return;
    const next = spanOf(grid.scrollTop, grid.clientHeight - headOf(grid), many, height);
    setSpan((now) => (same(now, next) ? now : next));
  };
  // Only where the list became another one: reading the place after every drawing would lay everything out twice.
  useLayoutEffect(measure, [many, height]);
  useEffect(() => {
    const grid = box.current;
    if (!grid) return;
    const watching = new ResizeObserver(measure);
    watching.observe(grid);
    return () => watching.disconnect();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what measures depends on these alone
  }, [many, height]);
  useEffect(() => onLook(span.first, span.last), [onLook, span.first, span.last]);

  function goTo(index: number): void {
    const grid = box.current;
    if (!grid || many === 0) return;
    const at = Math.max(0, Math.min(many - 1, index));
    setActive(at);
    grid.scrollTop = placeOf(at, grid.scrollTop, grid.clientHeight - headOf(grid), many, height);
  }

  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== box.current) return;
    const grid = box.current;
    const page = Math.max(1, Math.floor((grid?.clientHeight ?? 0) / height) - 2);
    const moves: Record<string, number> = {
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: many - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) goTo(to);
    else if (active >= many) return;
    else if (event.key === "Enter") props.onOpen(active);
    else if (event.key === " " && props.onToggle) props.onToggle(active, event.shiftKey);
    else if (event.key === "Delete" && props.onDelete) props.onDelete(active);
    else return;
    event.preventDefault();
  }

  const drawn = Array.from({ length: Math.max(0, Math.min(span.last, many) - span.first) }, (_, offset) => span.first + offset);
  return (
    <div
      ref={box}
      class="rows"
      role="grid"
      aria-label={label}
      aria-rowcount={many + 1}
      aria-multiselectable={props.onToggle ? "true" : undefined}
      aria-activedescendant={drawn.includes(active) ? `row-${active}` : undefined}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={press}
    >
      <div class="rows-head" role="rowgroup">
        <div role="row" aria-rowindex={1}>{head}</div>
      </div>
      <div class="rows-space" role="rowgroup" style={{ height: `${span.whole}px` }}>
        <div class="rows-window" role="presentation" style={{ transform: `translateY(${span.shift}px)` }}>
          {drawn.map((index) => (
            <div
              key={index % drawn.length}
              id={`row-${index}`}
              role="row"
              class={index === active ? "rows-row rows-active" : "rows-row"}
              style={{ height: `${height}px` }}
              aria-rowindex={index + 2}
              aria-selected={isSelected ? isSelected(index) : undefined}
              onClick={() => {
                setActive(index);
                props.onOpen(index);
              }}
            >
              {row(index)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

const headOf = (grid: HTMLElement): number => (grid.firstElementChild as HTMLElement).offsetHeight;
const same = (one: Span, other: Span): boolean =>
  one.first === other.first && one.last === other.last && one.shift === other.shift && one.whole === other.whole;

/** The height in pixels, whole ones, so that no row is drawn between two. */
function useRowHeight(rem: number): number {
  const of = (): number => Math.round(rem * parseFloat(getComputedStyle(document.documentElement).fontSize));
  const [height, setHeight] = useState(of);
  useEffect(() => {
    const again = (): void => setHeight(of());
    addEventListener("resize", again);
    return () => removeEventListener("resize", again);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a list keeps the height it was given
  }, []);
  return height;
}
