// What leaves the console as a file. Requests with a session need a header that a link cannot send, so
// the answer is fetched and handed over as a file of this page.
import { askBytes } from '../api/client';
import { bundleAs, eventsAddress, forensicsAs, reportAs, sqlAs } from '../api/questions';
import { fileName } from '../model/fileName';
import type { Search } from '../model/filters';

const DOWNLOAD_RECORDS_MAX = 10_000;

export function handOver(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export async function downloadEvents(log: string, search: Search, content: boolean): Promise<void> {
  const query = { ...search, content: content ? 1 : 0, limit: DOWNLOAD_RECORDS_MAX, format: 'ndjson' };
  const bytes = await askBytes(eventsAddress(log, query));
  handOver(new Blob([bytes as BlobPart], { type: 'application/x-ndjson' }), `${log}-events.ndjson`);
}

export async function downloadReport(
  log: string,
  kind: string,
  format: string,
  query: { from?: string; to?: string; pack?: string },
): Promise<void> {
  handOver(await reportAs(log, kind, { ...query, format }), `${log}-${kind}.${format}`);
}

export async function downloadForensics(log: string, id: string, format: string): Promise<void> {
  handOver(await forensicsAs(log, id, format), fileName([log, 'incident', id], format));
}

/** The evidence for a session, a trace or an event. The log records who took it. */
export async function downloadBundle(
  log: string,
  subject: { kind: 'session' | 'trace' | 'event'; id: string },
  format: string,
  content: boolean,
): Promise<void> {
  const file = await bundleAs(log, { [subject.kind]: subject.id }, format, content);
  handOver(file, fileName([log, 'evidence', subject.id], format));
}

export async function downloadRows(log: string, statement: string, format: string): Promise<void> {
  handOver(await sqlAs(log, statement, format), fileName([log, 'sql'], format));
}
