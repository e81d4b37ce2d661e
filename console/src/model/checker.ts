// The door to the checker: `prove` in WebAssembly, which imports nothing and so can do nothing but
// compute. It says what holds; nobody else is asked.

interface Checker {
  tacho_give(word: number, count: number): void;
  tacho_check(keyBytes: number): number;
  tacho_answer(at: number): number;
}

export interface Finding {
  kind: string;
  detail: string;
  index?: number | null;
  file?: string | null;
}

export interface CheckReport {
  verdict: string;
  level: string;
  origin: string;
  size: number;
  root: string;
  findings: Finding[];
  notes: string[];
}

export interface Checked {
  report: CheckReport;
  keys: { vkey: string; fingerprint: string }[];
  is_pinned: boolean;
  records: {
    index: number;
    state: string;
    why: string;
    meta: string;
    content: string | null;
    recorded_at: string | null;
  }[];
}

/** Checks a bundle for a reader who expects a key, or none (an empty text): the answer as JSON text. */
export async function runChecker(module: WebAssembly.Module, bundle: string, expected: string): Promise<string> {
  const instance = await WebAssembly.instantiate(module, {});
  const checker = instance.exports as unknown as Checker;
  const encoder = new TextEncoder();
  const key = encoder.encode(expected);
  give(checker, key);
  give(checker, encoder.encode(bundle));
  const answer = new Uint8Array(checker.tacho_check(key.length) >>> 0);
  for (let at = 0; at < answer.length; at += 4) {
    const word = checker.tacho_answer(at);
    for (let byte = 0; byte < 4 && at + byte < answer.length; byte += 1) answer[at + byte] = word >>> (8 * byte);
  }
  return new TextDecoder().decode(answer);
}

function give(checker: Checker, bytes: Uint8Array): void {
  const byte = (at: number) => bytes[at] ?? 0;
  for (let at = 0; at < bytes.length; at += 4) {
    const word = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    checker.tacho_give(word, Math.min(4, bytes.length - at));
  }
}
