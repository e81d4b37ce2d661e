// What leaves the console as a file. Requests with a session need a header that a link cannot send, so
// the answer is fetched and handed over as a file of this page.
import { askBytes } from '../api/client';
import { reportAs, eventsAddress } from '../api/questions';
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
  query: { from?: string; to?: string },
): Promise<void> {
  handOver(await reportAs(log, kind, { ...query, format }), `${log}-${kind}.${format}`);
}
