// What somebody chose of how the console looks, kept in this browser: columns, and searches by name.
import { useState } from 'preact/hooks';
import { USUAL_COLUMNS, columnsFrom, withColumn, type Column } from '../model/columns';
import { viewsFrom, withView, type SavedView } from '../model/savedViews';

const COLUMNS_KEY = 'tachograph.columns';
const viewsKey = (log: string): string => `tachograph.views.${log}`;

export interface ColumnChoice {
  chosen: readonly Column[];
  toggle: (id: Column) => void;
  reset: () => void;
}

export function useColumns(): ColumnChoice {
  const [chosen, setChosen] = useState(() => columnsFrom(localStorage.getItem(COLUMNS_KEY)));
  const toggle = (id: Column): void => {
    const next = withColumn(chosen, id);
    localStorage.setItem(COLUMNS_KEY, JSON.stringify(next));
    setChosen(next);
  };
  const reset = (): void => {
    localStorage.removeItem(COLUMNS_KEY);
    setChosen(USUAL_COLUMNS);
  };
  return { chosen, toggle, reset };
}

export interface ViewChoice {
  views: SavedView[];
  save: (name: string, query: string) => void;
  forget: (name: string) => void;
}

export function useSavedViews(log: string): ViewChoice {
  const [views, setViews] = useState(() => viewsFrom(localStorage.getItem(viewsKey(log))));
  const keep = (next: SavedView[]): void => {
    localStorage.setItem(viewsKey(log), JSON.stringify(next));
    setViews(next);
  };
  return {
    views,
    save: (name, query) => keep(withView(views, name, query)),
    forget: (name) => keep(views.filter((it) => it.name !== name)),
  };
}
