/** Our own drawings, 24 by 24, one stroke wide. */
const PATHS = {
  overview: "M4 13a8 8 0 1 1 16 0M12 13l3.5-4M5.5 18h13",
  campaigns: "M4 10v4h3l7 4V6l-7 4H4m13-1a4 4 0 0 1 0 6",
  contacts: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7m-6 9a6 6 0 0 1 12 0m1-16.5a3.5 3.5 0 0 1 0 7M18 14.4a6 6 0 0 1 3 5.6",
  categories: "M3 5v6.2L12.8 21 21 12.8 11.2 3H5a2 2 0 0 0-2 2m5 3.2v.1",
  replies: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
  monitoring: "M3 12h4l3-8 4 16 3-8h4",
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 7a2 2 0 1 0 .01 0M8.5 17a2 2 0 1 0 .01 0",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  check: "m5 12.5 4.5 4.5L19 7.5",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.5v15l12-7.5z",
  stop: "M6 6h12v12H6z",
  menu: "M4 7h16M4 12h16M4 17h16",
  back: "m14 6-6 6 6 6",
  next: "m10 6 6 6-6 6",
  down: "m6 9 6 6 6-6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13m5-1.5L20 20",
  download: "M12 4v11m0 0 4-4m-4 4-4-4M5 20h14",
  upload: "M12 15V4m0 0 4 4m-4-4L8 8M5 20h14",
  alert: "M12 4 2.5 20h19zM12 10v4.5m0 2.5v.1",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18m0-10v5m0-8v.1",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8m0-13v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5",
  screen: "M4 5h16v11H4zM9 20h6m-3-4v4",
  leave: "M10 5H5v14h5m5-3 4-4-4-4m4 4H10",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18m0-14v5l3.5 2",
  phone: "M8 3h8v18H8zM11 18h2",
  send: "M4 12 20 4l-6 16-3-7z",
  retry: "M20 5v5h-5M4 19v-5h5M5.5 9a7 7 0 0 1 12-2.5L20 10M18.5 15a7 7 0 0 1-12 2.5L4 14",
  external: "M14 4h6v6m0-6-9 9M18 14v6H4V6h6",
  dots: "M6 12v.1M12 12v.1M18 12v.1",
  report: "M6 3h9l4 4v14H6zM9 12h7M9 16h7M9 8h3",
  shield: "M12 3 5 6v5c0 5 3 8 7 10 4-2 7-5 7-10V6zM9 12l2 2 4-4",
  empty: "M4 13 7 5h10l3 8v6H4zM4 13h5l1 2.5h4L15 13h5",
} as const;

export type IconName = keyof typeof PATHS;

/** One icon; it says nothing by itself, the words beside it do. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={`${size / 16}rem`} height={`${size / 16}rem`} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the house. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg class="mark" viewBox="0 0 24 24" width={`${size / 16}rem`} height={`${size / 16}rem`} aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="currentColor" />
      <path d="M7 16.5V7.5h5.2a2.9 2.9 0 0 1 .6 5.7H7m4.6 0 4 3.3" fill="none" stroke="white" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
