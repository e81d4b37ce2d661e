// The evidence for one record, written as the bundle of one record: what the checker in the browser
// checks (docs/internals/format.md, section 18; decision 0043).
import type { Evidence } from '../api/types';
import { parseProof } from './note';

/** How a bundle escapes what HTML would obey. */
const ESCAPED = /[<>&\u007f\u2028\u2029\ufeff]/g;
export const escaped = (text: string): string =>
  text.replace(ESCAPED, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Figures of nothing. The checker counts them from the record; see `withFigures`. */
export const NO_FIGURES =
  '{"events":0,"errors":0,"first":null,"last":null,"statuses":{},"types":{},"agents":{},"tools":{},"tokens":{"input":0,"output":0,"total":0},"costs":{}}';
const PLACE = '"figures":';

/** The text of a bundle, with figures of nothing; undefined when the proof does not read as one. */
export function bundleOf(evidence: Evidence): string | undefined {
  const proof = parseProof(evidence.proof);
  if (!proof) return undefined;
  const record = evidence.record as Record<string, unknown>;
  const meta = parsed(record['meta']);
  const id = typeof meta?.['event_id'] === 'string' ? meta['event_id'] : `#${evidence.index}`;
  const { successions } = evidence as Evidence & { successions?: unknown[] };
  const head = {
    format: 'tachograph.bundle/1',
    origin: evidence.origin,
    subject: { kind: 'event', id },
    vkeys: evidence.vkeys,
    ...(successions === undefined ? {} : { successions }),
    checkpoint: proof.checkpoint,
  };
  const tail = {
    records: [{ index: proof.index, entry: evidence.entry, proof: proof.hashes, record }],
    streams: [],
    rest: [],
  };
  return escaped(`${JSON.stringify(head).slice(0, -1)},${PLACE}${NO_FIGURES},${JSON.stringify(tail).slice(1)}`);
}

/** The same bundle with the figures that the checker counted, as their text stands in its answer. */
export const withFigures = (bundle: string, figures: string): string =>
  bundle.replace(NO_FIGURES, () => escaped(figures));

/** The text of a member of a JSON object, as it stands there: the checker's numbers and order are kept. */
export function memberText(json: string, name: string): string | undefined {
  let depth = 0;
  let start = -1;
  for (let at = 0; at < json.length; at += 1) {
    const letter = json[at];
    if (letter === '"') {
      const end = endOfText(json, at);
      if (depth === 1 && start < 0 && json.slice(at, end) === `"${name}"` && json[end] === ':') start = end + 1;
      at = end - 1;
    } else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') depth -= 1;
    if (start >= 0 && at >= start && ((depth === 1 && json[at + 1] === ',') || (depth === 1 && json[at + 1] === '}'))) {
      return json.slice(start, at + 1);
    }
  }
  return undefined;
}

function endOfText(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at += 1) {
    if (json[at] === '\\') at += 1;
    else if (json[at] === '"') return at + 1;
  }
  return json.length;
}

function parsed(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
