// Erasures: what was erased, for whom and why, and what was refused; and for those who may, erasing. It
// cannot be undone, so it is asked for twice.
import { useState } from 'preact/hooks';
import { Dialog } from '../../components/Dialog';
import { PlainTable } from '../../components/PlainTable';
import { Alert, Empty, Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useErase, type NewErasure } from '../../hooks/lifecycle';
import { useErasures, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { count } from '../../model/number';
import { selectOf, selection } from '../../model/selection';
import { moment } from '../../model/time';
import { visible } from '../../model/visible';
import { Buttons } from './Holds';
import { ReasonField, SelectFields, typedIn } from './SelectFields';

export function Erasures() {
  const { name, may } = useLogPlace();
  const { data, error, refresh } = useErasures(name, true);
  const [isAsking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const mayAct = may.has('Erase');
  return (
    <>
      {(mayAct || said !== '') && (
        <div class="line pad">
          {said !== '' && <Alert tone="good">{said}</Alert>}
          {mayAct && (
            <button type="button" class="button primary push" onClick={() => setAsking(true)}>
              Erase records
            </button>
          )}
        </div>
      )}
      {error && <Failure error={error} retry={refresh} />}
      {!data && !error && <Waiting what="erasures" />}
      {data?.erasures.length === 0 && (
        <Empty icon="gone" title="Nothing was erased">
          Erasing destroys content or records, with a reason that stays.
        </Empty>
      )}
      {data && data.erasures.length > 0 && (
        <PlainTable
          label="Erasures"
          rows={data.erasures}
          keyOf={(it) => it.record}
          columns={[
            { label: 'When (UTC)', isMono: true, cell: (it) => moment(it.at) },
            { label: 'What', cell: (it) => visible(selection(it.select)) },
            { label: 'Scope', cell: (it) => it.scope },
            {
              label: 'Records',
              isNumber: true,
              cell: (it) => (it.refused ? <Tag tone="denied">refused</Tag> : count(it.records)),
            },
            { label: 'Why', cell: (it) => visible(it.refused ? `${it.reason}; refused: ${it.refused}` : it.reason) },
            { label: 'By', cell: (it) => visible(it.by ?? '') },
            {
              label: 'Record',
              isNumber: true,
              cell: (it) => <a href={paths.event(name, it.record)}>#{it.record}</a>,
            },
          ]}
        />
      )}
      {isAsking && (
        <Erase
          close={(text = '') => {
            setAsking(false);
            setSaid(text);
          }}
        />
      )}
    </>
  );
}

function Erase({ close }: { close: (said?: string) => void }) {
  const { name } = useLogPlace();
  const erase = useErase(name);
  const [asked, setAsked] = useState<NewErasure>();
  const [isEmpty, setEmpty] = useState(false);
  const first = (form: HTMLFormElement): void => {
    const typed = typedIn(form);
    const select = selectOf(typed);
    setEmpty(select === undefined);
    if (!select) return;
    const ground = typed('ground').trim();
    setAsked({ select, scope: typed('scope'), reason: typed('reason'), ...(ground === '' ? {} : { ground }) });
  };
  const second = async (): Promise<void> => {
    if (asked && (await erase.run(asked))) close('They are gone from every file of the log.');
  };
  return (
    <Dialog title="Erase records" close={() => close()}>
      <form
        class={asked ? 'unseen' : 'stack'}
        hidden={asked !== undefined}
        onSubmit={(event) => {
          event.preventDefault();
          first(event.currentTarget);
        }}
      >
        <SelectFields />
        <label class="label">
          What goes
          <select class="field" name="scope">
            <option value="content">Content: the metadata stays, and still counts</option>
            <option value="record">The record: all but its public entry</option>
          </select>
        </label>
        <ReasonField />
        <label class="label">
          Legal ground, if there is one
          <input class="field" name="ground" maxLength={1_000} />
        </label>
        {isEmpty && <Alert tone="warn">Say which records.</Alert>}
        <Buttons act="Go on" isBusy={false} close={() => close()} />
      </form>
      {asked && <Certainly asked={asked} erase={second} back={() => setAsked(undefined)} busy={erase.isBusy} />}
      {asked && erase.error && <Failure error={erase.error} />}
    </Dialog>
  );
}

interface CertainlyProps {
  asked: NewErasure;
  erase: () => Promise<void>;
  back: () => void;
  busy: boolean;
}

const WORD = 'erase';

function Certainly({ asked, erase, back, busy }: CertainlyProps) {
  const [typed, setTyped] = useState('');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed === WORD) void erase();
      }}
    >
      <Alert tone="bad">
        This cannot be undone. {asked.scope === 'record' ? 'Whole records' : 'The content'} of{' '}
        <b>{visible(selection(asked.select))}</b> {asked.scope === 'record' ? 'go' : 'goes'} for good; the public
        entries stay, and every proof stays valid.
      </Alert>
      <label class="label">
        <span>
          Type <code>{WORD}</code> to go on
        </span>
        <input
          class="field mono"
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <div class="line">
        <button class="button danger" disabled={typed !== WORD || busy}>
          {busy ? 'Erasing' : 'Erase for good'}
        </button>
        <button type="button" class="button" onClick={back}>
          Back
        </button>
      </div>
    </form>
  );
}
