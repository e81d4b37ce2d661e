// Records: a search in pages, and one record by its id or index.
import * as questions from '../api/questions';
import type { EventRecord, Page } from '../api/types';
import type { Search } from '../model/filters';
import { usePages, useQuery, type Answer, type Pages } from './query';

const PAGE_RECORDS = 200;

/** A search. Content is asked for only when it is wanted: the log records whoever looks at it. */
export const useSearch = (log: string, search: Search, content: boolean): Pages<Page> =>
  usePages(['events', log, search, content], (cursor, signal) =>
    questions.events(log, { ...search, content: content ? 1 : 0, limit: PAGE_RECORDS, cursor }, signal),
  );

export const useFew = (log: string, search: Search, limit: number, every: number | false = false): Answer<Page> =>
  useQuery(['few', log, search, limit], (signal) => questions.events(log, { ...search, content: 0, limit }, signal), {
    every,
    keep: true,
  });

export const useEvent = (log: string, id: string): Answer<EventRecord> =>
  useQuery(['event', log, id], async (signal) => {
    const { events } = await questions.event(log, id, {}, signal);
    const [record] = events;
    if (!record) throw new Error(`there is no event ${id}`);
    return record;
  });
