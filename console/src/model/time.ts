// Times and lengths of time as people read them. Whoever shows a time says in which zone: the console
// shows UTC, as the log and its reports do.

/** `2026-11-02 14:23:06.120` of a time in RFC 3339; what it does not know it leaves as it is. */
export function moment(time: string | undefined | null): string {
  if (!time) return '';
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,3})?/.exec(time);
  return found ? `${found[1]} ${found[2]}${(found[3] ?? '.').padEnd(4, '0')}` : time;
}

/** Only the time of the day. */
export const clock = (time: string | undefined | null): string => moment(time).slice(11);

/** Only the day. */
export const day = (time: string | undefined | null): string => moment(time).slice(0, 10);

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '';
  if (ms < 1) return ms === 0 ? '0 ms' : '< 1 ms';
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${(ms / 86_400_000).toFixed(1)} d`;
}

/** `3 min ago`, as of a moment in milliseconds. */
export function ago(time: string, now: number): string {
  const ms = now - Date.parse(time);
  if (!Number.isFinite(ms)) return '';
  return ms < 1_000 ? 'now' : `${duration(ms).replace(/ \d+ (s|min)$/, '')} ago`;
}

/** The ranges that are offered; as the API spells how long ago. */
export const RANGES = [
  { from: '15m', label: '15 min' },
  { from: '1h', label: '1 h' },
  { from: '24h', label: '24 h' },
  { from: '7d', label: '7 d' },
  { from: '30d', label: '30 d' },
  { from: '', label: 'All' },
] as const;
