// The few icons of the console, drawn by lines of one width. They say nothing alone: a word is beside
// each of them, or is its label.
const PATHS = {
  overview: 'M2 13V8m4 5V3m4 10V6m4 7V9',
  live: 'M1.5 8h3l2-5 3 10 2-5h3',
  explore: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14',
  sessions: 'M2 4h12M2 8h12M2 12h7',
  agents: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5.5 6a5.5 5.5 0 0 1 11 0',
  reports: 'M4 1.5h5l3.500 3.500v9.500h-8.500zM9 1.500v4h3.500M6 9h4m-4 2.500h4',
  integrity: 'M8 1.500 13.500 4v4c0 3.500-2.500 5.500-5.500 6.500-3-1-5.500-3-5.500-6.500V4zM5.500 8l2 2 3.500-4',
  lifecycle: 'M13.500 8A5.500 5.500 0 1 1 8 2.500M8 5v3l2.500 1.500M10.500 2.500H14V6',
  good: 'M3 8.500 6.500 12 13 4.500',
  bad: 'M4 4l8 8m0-8-8 8',
  warn: 'M8 2 14.500 13.500h-13zM8 6.500v3.500m0 1.800v.2',
  denied: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM4 4l8 8',
  open: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3.500l2 1.500',
  gone: 'M3 4.500h10M6 4V2.500h4V4M4.500 4.500l.5 9h6l.5-9',
  plain: 'M8 9a1 1 0 1 0 0-2 1 1 0 0 0 0 2Z',
  close: 'M4 4l8 8m0-8-8 8',
  menu: 'M2 4h12M2 8h12M2 12h12',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1m8 8 1 1M3 13l1-1m8-8 1-1',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7Z',
  system: 'M1.500 3h13v8h-13zM6 14h4m-2-3v3',
  leave: 'M6 2H2.500v12H6M10 5l3 3-3 3m3-3H6',
  pause: 'M5.500 3v10m5-10v10',
  play: 'M4.500 2.500 13 8l-8.500 5.500z',
  download: 'M8 2v8m-3-3 3 3 3-3M2.500 13.500h11',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  refresh: 'M13.500 8A5.500 5.500 0 1 1 11.800 4M14 1.500V5h-3.500',
  key: 'M10 9a3.500 3.500 0 1 0-3-1.700L2 12.300V14h2.500v-2H6v-1.500l1.500-1.500',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, label }: { name: IconName; label?: string }) {
  const said = label === undefined ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label };
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      {...said}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
