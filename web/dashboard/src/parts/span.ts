/** Which rows are drawn, how far down they stand, and how tall the whole list is (pixels). */
export interface Span {
  first: number;
  last: number;
  shift: number;
  whole: number;
}

/** Rows drawn above and below what is seen, the step in which the window moves, the most rows drawn at all. */
const BEYOND = 4;
const STEP = 4;
export const MOST_ROWS = 58;
/** Browsers give up above some 17 million pixels; a taller list is scrolled through in larger steps. */
const TALLEST = 15_000_000;

/** Say which rows a scroll position shows. The window moves in steps, so that most scrolling draws nothing. */
export function spanOf(scrolled: number, seen: number, many: number, height: number): Span {
  const whole = Math.min(many * height, TALLEST);
  const top = realTop(scrolled, seen, many, height);
  const fits = Math.ceil(seen / height) + 1;
  const beyond = Math.max(1, Math.min(BEYOND, Math.floor((MOST_ROWS - fits - STEP) / 2)));
  const first = Math.max(0, Math.floor((Math.floor(top / height) - beyond) / STEP) * STEP);
  const last = Math.min(many, first + Math.min(MOST_ROWS, fits + STEP + 2 * beyond));
  return { first, last, shift: Math.max(0, first * height - top + scrolled), whole };
}

/** Return where to scroll so that a row is seen; where it is seen already, nothing moves. */
export function placeOf(index: number, scrolled: number, seen: number, many: number, height: number): number {
  const top = realTop(scrolled, seen, many, height);
  const wanted = Math.min(Math.max(top, (index + 1) * height - seen), index * height);
  const [room, tall] = rooms(seen, many, height);
  return tall > room && tall > 0 ? (wanted / tall) * room : wanted;
}

function realTop(scrolled: number, seen: number, many: number, height: number): number {
  const [room, tall] = rooms(seen, many, height);
  return tall > room && room > 0 ? (scrolled / room) * tall : scrolled;
}

/** How far one can scroll, on the screen and in rows. */
function rooms(seen: number, many: number, height: number): [number, number] {
  const tall = many * height;
  return [Math.max(0, Math.min(tall, TALLEST) - seen), Math.max(0, tall - seen)];
}
