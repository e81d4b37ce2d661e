// Legal holds: what is held, since when and why; and for those who may, holding more and releasing.
import { useState } from 'preact/hooks';
import type { Hold } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { PlainTable } from '../../components/PlainTable';
import { Alert, Empty, Failure, Waiting } from '../../components/States';
import { useHold, useRelease } from '../../hooks/lifecycle';
import { useHolds, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { selectOf, selection } from '../../model/selection';
import { moment } from '../../model/time';
import { visible } from '../../model/visible';
import { ReasonField, SelectFields, typedIn } from './SelectFields';

export function Holds() {
  const { name, may } = useLogPlace();
  const { data, error, refresh } = useHolds(name, true);
  const [asking, setAsking] = useState<'new' | Hold>();
  const [said, setSaid] = useState('');
  const mayAct = may.has('ManageHolds');
  const end = (text = ''): void => {
    setAsking(undefined);
    setSaid(text);
  };
  return (
    <>
      {(mayAct || said !== '') && (
        <div class="line pad">
          {said !== '' && <Alert tone="good">{said}</Alert>}
          {mayAct && (
            <button type="button" class="button primary push" onClick={() => setAsking('new')}>
              Hold records
            </button>
          )}
        </div>
      )}
      {error && <Failure error={error} retry={refresh} />}
      {!data && !error && <Waiting what="holds" />}
      {data?.holds.length === 0 && (
        <Empty icon="lifecycle" title="Nothing is held">
          A legal hold keeps records from expiring and from being erased, until it is released.
        </Empty>
      )}
      {data && data.holds.length > 0 && (
        <PlainTable
          label="Legal holds"
          rows={data.holds}
          keyOf={(it) => it.hold}
          columns={[
            { label: 'Hold', isMono: true, cell: (it) => it.hold },
            { label: 'Since (UTC)', isMono: true, cell: (it) => moment(it.since) },
            { label: 'What', cell: (it) => visible(selection(it.select)) },
            { label: 'Why', cell: (it) => visible(it.reason) },
            { label: 'By', cell: (it) => visible(it.by ?? '') },
            {
              label: 'Record',
              isNumber: true,
              cell: (it) => <a href={paths.event(name, it.record)}>#{it.record}</a>,
            },
            ...(mayAct
              ? [
                  {
                    label: 'Act',
                    cell: (it: Hold) => (
                      <button
                        type="button"
                        class="button"
                        aria-label={`Release ${it.hold}`}
                        onClick={() => setAsking(it)}
                      >
                        Release
                      </button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      {asking === 'new' && <NewHold close={end} />}
      {asking !== undefined && asking !== 'new' && <Release hold={asking} close={end} />}
    </>
  );
}

function NewHold({ close }: { close: (said?: string) => void }) {
  const { name } = useLogPlace();
  const hold = useHold(name);
  const [isEmpty, setEmpty] = useState(false);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const typed = typedIn(form);
    const select = selectOf(typed);
    setEmpty(select === undefined);
    if (select && (await hold.run(select, typed('reason')))) close('They are held.');
  };
  return (
    <Dialog title="Hold records" close={() => close()}>
      <p class="soft">What fits is kept, also what comes later: nothing of it expires, and nobody erases it.</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <SelectFields />
        <ReasonField />
        {isEmpty && <Alert tone="warn">Say which records: a hold on everything is not made here.</Alert>}
        {hold.error && <Failure error={hold.error} />}
        <Buttons act="Hold" isBusy={hold.isBusy} close={() => close()} />
      </form>
    </Dialog>
  );
}

function Release({ hold, close }: { hold: Hold; close: (said?: string) => void }) {
  const { name } = useLogPlace();
  const release = useRelease(name);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    if (await release.run(hold.hold, typedIn(form)('reason'))) close(`${hold.hold} is released.`);
  };
  return (
    <Dialog title={`Release ${hold.hold}`} close={() => close()}>
      <p>
        It holds {visible(selection(hold.select))}, because of “{visible(hold.reason)}”. Released, these records may
        expire and be erased, unless another hold keeps them.
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <ReasonField label="Why it is released" />
        {release.error && <Failure error={release.error} />}
        <Buttons act="Release" isBusy={release.isBusy} close={() => close()} />
      </form>
    </Dialog>
  );
}

export function Buttons({ act, isBusy, close }: { act: string; isBusy: boolean; close: () => void }) {
  return (
    <div class="line">
      <button class="button primary" disabled={isBusy}>
        {act}
      </button>
      <button type="button" class="button" onClick={close}>
        Leave it
      </button>
    </div>
  );
}
