// A checkpoint as text: what it says, without believing it. Its signature is checked by the checker.

export interface TreeHead {
  origin: string;
  size: number;
  /** The root hash in hex. */
  root: string;
  /** Signature lines, as they stand. */
  signatures: string[];
}

export function parseNote(text: string): TreeHead | undefined {
  const [body = '', tail = ''] = text.split('\n\n', 2);
  const [origin, size, root, ...more] = body.split('\n');
  const known = size !== undefined && /^(0|[1-9][0-9]{0,15})$/.test(size) && more.length === 0;
  const hash = root === undefined ? undefined : hexOfBase64(root);
  if (!origin || !known || hash?.length !== 64) return undefined;
  return {
    origin,
    size: Number(size),
    root: hash,
    signatures: tail.split('\n').filter((line) => line.startsWith('— ')),
  };
}

export function hexOfBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const hex = (letter: string) => letter.charCodeAt(0).toString(16).padStart(2, '0');
  return Array.from(atob(text), hex).join('');
}

/** A C2SP tlog-proof: the hashes in hex, and the signed checkpoint. */
export function parseProof(text: string): { index: number; hashes: string[]; checkpoint: string } | undefined {
  const [head = ''] = text.split('\n\n', 1);
  const checkpoint = text.slice(head.length + 2);
  const [name, ...lines] = head.split('\n');
  const rest = lines[0]?.startsWith('extra ') === true ? lines.slice(1) : lines;
  const index = /^index (\d{1,16})$/.exec(rest[0] ?? '')?.[1];
  const hashes = rest.slice(1).map(hexOfBase64);
  if (name !== 'c2sp.org/tlog-proof@v1' || index === undefined || hashes.some((it) => it?.length !== 64))
    return undefined;
  return { index: Number(index), hashes: hashes.flatMap((it) => it ?? []), checkpoint };
}
