// The filters of a search: those that are set, each with a way to take it away; one more; the time; and
// whether content is shown in the rows.
import { useState } from 'preact/hooks';
import { Icon } from '../../components/Icon';
import { go, searchAddress, withParameters, type Place } from '../../hooks/route';
import { FILTERS, OUTCOMES, TIERS, type Filter, type Search } from '../../model/filters';
import { RANGES } from '../../model/time';
import { visible } from '../../model/visible';

interface Props {
  place: Place;
  search: Search;
  mayReadContent: boolean;
  /** Whether a time can be chosen; a feed has none. */
  hasTime?: boolean;
}

const LABELS: Record<Filter, string> = {
  agent: 'Agent',
  type: 'Type',
  outcome: 'Outcome',
  tool: 'Tool',
  error_type: 'Error',
  trace: 'Trace',
  session: 'Session',
  task: 'Task',
  principal: 'Sent by',
  tier: 'Tier',
  event: 'Event id',
};

export function FilterBar({ place, search, mayReadContent, hasTime = true }: Props) {
  const to = (next: Search): void => go(searchAddress(place, next));
  const without = (name: Filter, value: string): Search => {
    const rest = (search[name] ?? []).filter((it) => it !== value);
    const next = { ...search, [name]: rest };
    return next;
  };
  return (
    <div class="filters">
      {hasTime && <TimeChoice search={search} to={to} />}
      <AddFilter add={(name, value) => to({ ...search, [name]: [...(search[name] ?? []), value] })} />
      {FILTERS.flatMap((name) =>
        (search[name] ?? []).map((value) => (
          <span class="chip" key={name + value}>
            <span class="clip">
              {LABELS[name]}: <b>{visible(value)}</b>
            </span>
            <button
              type="button"
              aria-label={`Without ${LABELS[name]} ${value}`}
              onClick={() => to(without(name, value))}
            >
              <Icon name="close" />
            </button>
          </span>
        )),
      )}
      {search.text !== undefined && (
        <span class="chip">
          <span class="clip">
            Text: <b>{visible(search.text)}</b>
          </span>
          <button type="button" aria-label="Without the text" onClick={() => to({ ...search, text: '' })}>
            <Icon name="close" />
          </button>
        </span>
      )}
      <label class="line push small" title="Its start and stop, heartbeats, reads and refusals">
        <input
          type="checkbox"
          checked={place.parameters.get('own') === '1'}
          onChange={(event) => go(withParameters(place, { own: event.currentTarget.checked ? '1' : '' }))}
        />
        The log's own records
      </label>
      {mayReadContent && (
        <label class="line small" title="The log records whoever looks at content">
          <input
            type="checkbox"
            checked={place.parameters.get('content') === '1'}
            onChange={(event) => go(withParameters(place, { content: event.currentTarget.checked ? '1' : '' }))}
          />
          Content in rows
        </label>
      )}
    </div>
  );
}

function TimeChoice({ search, to }: { search: Search; to: (next: Search) => void }) {
  return (
    <select
      class="field"
      aria-label="Time"
      value={search.from ?? ''}
      onChange={(event) => to({ ...search, from: event.currentTarget.value })}
    >
      {RANGES.map((range) => (
        <option key={range.from} value={range.from}>
          {range.from === '' ? 'All time' : `Last ${range.label}`}
        </option>
      ))}
      {search.from !== undefined && !RANGES.some((range) => range.from === search.from) && (
        <option value={search.from}>From {search.from}</option>
      )}
    </select>
  );
}

function AddFilter({ add }: { add: (name: Filter, value: string) => void }) {
  const [name, setName] = useState<Filter>('agent');
  const choices = name === 'outcome' ? OUTCOMES : name === 'tier' ? TIERS : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = form.elements.namedItem('value') as HTMLInputElement;
    if (field.value.trim() !== '') add(name, field.value.trim());
    form.reset();
    setName(name);
  };
  return (
    <form class="line" onSubmit={submit}>
      <select
        class="field"
        aria-label="Filter by"
        value={name}
        onChange={(event) => setName(event.currentTarget.value as Filter)}
      >
        {FILTERS.map((filter) => (
          <option key={filter} value={filter}>
            {LABELS[filter]}
          </option>
        ))}
      </select>
      {choices ? (
        <select
          class="field"
          name="value"
          aria-label={`${LABELS[name]} is`}
          onChange={(event) => event.currentTarget.value !== '' && add(name, event.currentTarget.value)}
        >
          <option value="">is …</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          class="field"
          name="value"
          size={14}
          aria-label={`${LABELS[name]} is`}
          placeholder="is …"
          spellcheck={false}
          autocomplete="off"
        />
      )}
      {!choices && <button class="button">Add</button>}
    </form>
  );
}
