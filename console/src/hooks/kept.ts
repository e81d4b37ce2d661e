// What this browser keeps of a log to hold it to: the key that somebody trusts, and the newest
// checkpoint whose signature was checked here.

export interface KeptCheckpoint {
  size: number;
  root: string;
  note: string;
  /** When this browser saw it, RFC 3339. */
  at: string;
}

const keyName = (origin: string): string => `tachograph.key.${origin}`;
const checkpointName = (origin: string): string => `tachograph.checkpoint.${origin}`;

export const expectedKey = (origin: string): string => localStorage.getItem(keyName(origin)) ?? '';

export function expectKey(origin: string, key: string): void {
  if (key === '') localStorage.removeItem(keyName(origin));
  else localStorage.setItem(keyName(origin), key);
}

export function keptCheckpoint(origin: string): KeptCheckpoint | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(checkpointName(origin)) ?? 'null') as KeptCheckpoint | null;
    return kept && Number.isSafeInteger(kept.size) && /^[0-9a-f]{64}$/.test(kept.root) ? kept : undefined;
  } catch {
    return undefined;
  }
}

export const keepCheckpoint = (origin: string, kept: KeptCheckpoint): void =>
  localStorage.setItem(checkpointName(origin), JSON.stringify(kept));

export const forgetCheckpoint = (origin: string): void => localStorage.removeItem(checkpointName(origin));
