// How the table of Explore looks, and searches that are kept by name. Both stay in this browser.
import { COLUMNS } from '../../model/columns';
import { Icon } from '../../components/Icon';
import { useSavedViews, type ColumnChoice } from '../../hooks/choices';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import type { Place } from '../../hooks/route';
import { queryOf } from '../../model/savedViews';
import { oneLine } from '../../model/visible';

export function ColumnMenu({ columns }: { columns: ColumnChoice }) {
  return (
    <details class="menu hide-small">
      <summary class="button">Columns</summary>
      <div class="card menu-body">
        {COLUMNS.map((column) => (
          <label key={column.id} class="line">
            <input
              type="checkbox"
              checked={columns.chosen.includes(column.id)}
              onChange={() => columns.toggle(column.id)}
            />
            {column.label}
          </label>
        ))}
        <button type="button" class="button" onClick={columns.reset}>
          The usual ones
        </button>
      </div>
    </details>
  );
}

export function SavedViewMenu({ place }: { place: Place }) {
  const { name } = useLogPlace();
  const { views, save, forget } = useSavedViews(name);
  const query = queryOf(place.parameters);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const typed = new FormData(form).get('name');
    if (typeof typed === 'string') save(typed, query);
    form.reset();
  };
  return (
    <details class="menu">
      <summary class="button">Saved</summary>
      <div class="card menu-body">
        {views.length === 0 && <p class="soft small">No search is saved yet.</p>}
        <ul class="stack">
          {views.map((view) => (
            <li key={view.name} class="line">
              <a href={paths.explore(name, view.query)} aria-current={view.query === query ? 'true' : undefined}>
                {oneLine(view.name)}
              </a>
              <button
                type="button"
                class="button quiet icon push"
                aria-label={`Forget ${oneLine(view.name)}`}
                onClick={() => forget(view.name)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
        <form class="line" onSubmit={submit}>
          <input class="field grow" name="name" required maxLength={60} aria-label="Save as" placeholder="Save as …" />
          <button class="button">Save</button>
        </form>
        <p class="soft small">The filters are kept in this browser, and no events.</p>
      </div>
    </details>
  );
}
