'use strict';
// Shows what the checker says of the bundle in this page. It decides nothing, asks nobody, and
// writes texts only: nothing that stands in a record becomes markup.
(() => {
  const root = document.documentElement;
  const page = document.getElementById('page');
  const bundle = new TextEncoder().encode(document.getElementById('bundle').textContent);

  // What nobody sees, and what turns the direction of a text, is made visible.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g;
  const visible = (text) =>
    String(text).replace(HIDDEN, (it) => '\\u{' + it.codePointAt(0).toString(16) + '}');

  // An element with a class and children; texts become text.
  function make(tag, name, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    for (const child of children.flat()) {
      if (child !== null && child !== undefined && child !== '') {
        element.append(child instanceof Node ? child : visible(child));
      }
    }
    return element;
  }

  const count = (number, one, many) => number.toLocaleString('en') + ' ' + (number === 1 ? one : many);
  const grouped = (text) => text.match(/.{1,4}/g).join(' ');
  const clock = (time) => (time ? time.slice(11, 23) : '');
  const lasting = (ms) =>
    ms === null ? '' : ms >= 1000 ? (ms / 1000).toLocaleString('en') + ' s' : ms.toLocaleString('en') + ' ms';

  // JSON over several lines, every character kept: it is read as text, never as values.
  function spread(json) {
    let out = '', depth = 0, inText = false;
    for (let at = 0; at < json.length; at += 1) {
      const it = json[at];
      if (inText) {
        out += it;
        if (it === '\\') out += json[(at += 1)] ?? '';
        else if (it === '"') inText = false;
        continue;
      }
      const line = () => '\n' + '  '.repeat(Math.min(depth, 64));
      if (it === '"') { inText = true; out += it; }
      else if (it === '{' || it === '[') {
        const closes = json[at + 1] === '}' || json[at + 1] === ']';
        if (closes) { out += it + json[(at += 1)]; }
        else { depth += 1; out += it + line(); }
      } else if (it === '}' || it === ']') { depth -= 1; out += line() + it; }
      else if (it === ',') out += it + line();
      else if (it === ':') out += ': ';
      else out += it;
    }
    return out;
  }

  // Runs the checker once, in a memory of its own. It imports nothing.
  async function check(module, expected) {
    const checker = (await WebAssembly.instantiate(module, {})).exports;
    const give = (bytes) => {
      for (let at = 0; at < bytes.length; at += 4) {
        const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
        checker.tacho_give(word, Math.min(4, bytes.length - at));
      }
    };
    const key = new TextEncoder().encode(expected);
    give(key);
    give(bundle);
    const answer = new Uint8Array(checker.tacho_check(key.length) >>> 0);
    for (let at = 0; at < answer.length; at += 4) {
      const word = checker.tacho_answer(at);
      for (let byte = 0; byte < 4 && at + byte < answer.length; byte += 1) answer[at + byte] = word >>> (8 * byte);
    }
    return JSON.parse(new TextDecoder().decode(answer));
  }

  const MARKS = { good: '✓', doubt: '!', bad: '✗' };
  const tick = (tone) => make('b', 'mark', MARKS[tone]);
  const point = (tone, part, ...text) =>
    make('li', tone, tick(tone), make('div', '', make('b', 'part', part + '. '), ...text));

  function verdict(answer) {
    const { report, is_pinned: isPinned } = answer;
    const faults = report.findings.filter((it) => !['unreadable', 'unassessed'].includes(it.kind));
    const parts = [...new Set(faults.map((it) => place(it)))];
    let tone = 'good', word = 'Verified: signed by the key that you expect', text =
      'Every record, proof and figure here is what the log committed to.';
    if (report.verdict === 'tampered') {
      [tone, word] = ['bad', 'Does not verify: do not rely on it'];
      text = 'At fault: ' + parts.slice(0, 6).join(', ') + (parts.length > 6 ? ', and more' : '') + '.';
    } else if (report.verdict === 'incomplete') {
      [tone, word] = ['doubt', 'Nothing wrong was found, but not everything could be checked'];
      text = report.findings.map((it) => place(it) + ': ' + it.detail).slice(0, 2).join('; ') + '.';
    } else if (!isPinned || report.level === 'local') {
      [tone, word] = ['good', 'Consistent: every byte agrees with the signed checkpoint'];
      text = 'Whose signature it is, you decide: compare the fingerprint below with one that you have from ' +
        'the operator of the log by another way.';
    }
    root.dataset.verdict = report.verdict;
    root.dataset.level = report.level;
    const box = make('section', 'verdict ' + tone, tick(tone), make('div', '', make('p', 'word', word), make('p', '', text)));
    box.setAttribute('role', 'status');
    return box;
  }

  // Which part a finding is about, in words.
  function place(finding) {
    const names = { record: 'record', entry: 'entry', proof: 'proof', rest: 'entries after the records',
      keys: 'keys', checkpoint: 'checkpoint', figures: 'figures', streams: 'streams', bundle: 'text of the bundle' };
    const name = names[finding.file] ?? finding.file;
    if (finding.index === null) return finding.file === 'record' && finding.kind === 'missing' ? 'a record left out' : name;
    const last = finding.index + finding.count - 1;
    const where = last > finding.index ? finding.index + ' to ' + last : String(finding.index);
    return finding.file === 'proof' ? 'proof of record ' + where : name + ' ' + where;
  }

  function checks(answer) {
    const { report, records, figure_faults: faults, counted } = answer;
    const of = (...parts) => report.findings.some((it) => parts.includes(it.file) && it.kind !== 'unassessed');
    const list = make('ul', 'checks');
    const signed = {
      local: ['doubt', 'The checkpoint of ' + count(report.size, 'entry', 'entries') + ' is signed by the key in this bundle; nobody vouches for it yet.'],
      signed: ['good', 'The checkpoint of ' + count(report.size, 'entry', 'entries') + ' is signed by the key that you expect, or one that took over from it.'],
      witnessed: ['good', 'Signed by the key that you expect, and cosigned by witnesses.'],
      anchored: ['good', 'Signed by the key that you expect, and anchored in time.'],
    }[report.level];
    list.append(of('checkpoint', 'keys')
      ? point('bad', 'Signature', 'It does not hold.') : point(signed[0], 'Signature', signed[1]));
    const bad = records.filter((it) => it.state === 'fails').length;
    const shown = records.filter((it) => it.state === 'holds').length;
    list.append(bad > 0 || of('record', 'entry', 'proof')
      ? point('bad', 'Records', bad > 0 ? count(bad, 'does', 'do') + ' not hold, ' + count(shown, 'does', 'do') + '.' : 'Something of them is altered or left out.')
      : point('good', 'Records', count(shown, 'record is', 'records are') + ' in the log, at the index shown, and unaltered.'));
    const { completeness } = report;
    if (completeness) {
      const tone = { complete: 'good', partial: 'doubt', unknown: 'doubt', broken: 'bad' }[completeness.extent];
      list.append(point(tone, 'Completeness', completeness.sentence));
    }
    list.append(faults.length > 0 || of('figures')
      ? point('bad', 'Figures', 'They are not what the records add up to.')
      : counted ? point('good', 'Figures', 'Counted again in this page from the records; they agree.')
        : point('doubt', 'Figures', 'Not counted again: not every record holds.'));
    // What the lines above say already.
    const said = ['consistent, signer not pinned', 'the figures were not counted again'];
    for (const note of report.notes.filter((it) => !said.some((start) => it.startsWith(start)))) {
      list.append(point('doubt', 'Note', note));
    }
    return list;
  }

  function findings(report) {
    if (report.findings.length === 0) return [];
    const list = make('ul', 'checks');
    for (const finding of report.findings) {
      const tone = ['unreadable', 'unassessed'].includes(finding.kind) ? 'doubt' : 'bad';
      list.append(make('li', tone, tick(tone), make('div', '',
        make('b', 'part', place(finding)), ' ', make('span', 'soft', '(' + finding.kind + ')'), ' ', finding.detail)));
    }
    const more = report.findings_omitted > 0 ? make('p', 'soft', count(report.findings_omitted, 'more', 'more') + ' like these') : null;
    return [make('h2', '', 'What is wrong'), list, more].filter(Boolean);
  }

  function signer(answer, module, expected) {
    const box = make('section', '', make('h2', '', 'Who signed'));
    for (const key of answer.keys) {
      box.append(make('dl', '',
        make('dt', '', 'Log'), make('dd', '', answer.report.origin),
        make('dt', '', 'Fingerprint'), make('dd', '', make('code', 'print', grouped(key.fingerprint))),
        make('dt', '', 'Key'), make('dd', '', make('code', '', key.vkey))));
    }
    box.append(make('p', 'soft ask', 'A key that comes with the evidence proves nothing about who made it. Paste the ' +
      'key or the fingerprint that the operator of the log gave you by another way:'));
    const input = make('input');
    input.setAttribute('aria-label', 'Expected key or fingerprint');
    input.placeholder = 'vkey or SHA-256 fingerprint';
    input.spellcheck = false;
    input.value = expected;
    const form = make('form', '', input, make('button', '', 'Compare'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      run(module, input.value.trim());
    });
    box.append(form);
    return box;
  }

  function card(name, shown, path, answer, note) {
    const fault = answer.figure_faults.find((it) => path.includes(it.name));
    return fault
      ? make('div', 'figure bad', make('span', '', name), make('strong', '', '✗ ' + fault.stated), make('small', '', 'the records give ' + fault.counted))
      : make('div', 'figure', make('span', '', name), make('strong', '', shown), make('small', '', note ?? ''));
  }

  function table(answer, group, titles, cells, figures) {
    const names = Object.keys(figures[group]);
    if (names.length === 0) return null;
    const head = make('tr', '', titles.map((title, at) => make('th', at > 0 ? 'number' : '', title)));
    const body = make('tbody');
    for (const name of names) {
      const faults = answer.figure_faults.filter((it) => it.name === group + '.' + name || it.name.startsWith(group + '.' + name + '.'));
      const row = make('tr', faults.length ? 'bad' : '', make('td', '', (faults.length ? '✗ ' : '') + name),
        cells(figures[group][name]).map((it) => make('td', 'number', it)));
      body.append(row);
      for (const fault of faults) {
        const cell = make('td', '', fault.name + ' is ' + fault.stated + ' in the bundle; the records give ' + fault.counted);
        cell.colSpan = titles.length;
        body.append(make('tr', 'bad', cell));
      }
    }
    return make('div', 'scroll', make('table', '', make('thead', '', head), body));
  }

  function report(answer) {
    const figures = answer.stated;
    if (!figures) return [];
    const number = (it) => it.toLocaleString('en');
    const span = figures.first && figures.last ? new Date(figures.last.slice(0, 23) + 'Z') - new Date(figures.first.slice(0, 23) + 'Z') : null;
    const costs = Object.entries(figures.costs);
    const cards = make('div', 'figures',
      card('Events', number(figures.events), ['events'], answer, lasting(span)),
      card('Errors', number(figures.errors), ['errors'], answer),
      card('Agents', number(Object.keys(figures.agents).length), [], answer),
      card('Tools', number(Object.keys(figures.tools).length), [], answer),
      card('Tokens', number(figures.tokens.total), ['tokens.total', 'tokens.input', 'tokens.output'], answer,
        number(figures.tokens.input) + ' in, ' + number(figures.tokens.output) + ' out'),
      card('Cost', costs[0]?.[1] ?? '–', Object.keys(figures.costs).map((it) => 'costs.' + it), answer,
        costs.map(([name, sum], at) => (at > 0 ? sum + ' ' : '') + name).join(', ')));
    const simple = (it) => [number(it)];
    return [make('h2', '', 'Figures'), cards,
      make('div', 'pair',
        table(answer, 'tools', ['Tool', 'Calls', 'Errors', 'Took'], (it) => [number(it.calls), number(it.errors), lasting(it.duration_ms)], figures) ?? make('div'),
        table(answer, 'agents', ['Agent', 'Events', 'Errors'], (it) => [number(it.events), number(it.errors)], figures) ?? make('div'),
        table(answer, 'types', ['Type', 'Events'], simple, figures) ?? make('div'),
        table(answer, 'statuses', ['Ended', 'Events'], simple, figures) ?? make('div'))];
  }

  function event(row) {
    const tone = row.state !== 'holds' ? row.state : row.is_error ? 'error' : '';
    const state = row.state === 'fails' ? '✗ altered' : row.state === 'absent' ? 'not shown'
      : (row.is_error ? '✗ ' : '') + row.status;
    const what = row.action ?? row.event_type;
    const did = row.tool && !what.includes(row.tool) ? what + ' · ' + row.tool : what;
    const summary = make('summary', '', make('span', 'when', clock(row.at ?? row.recorded_at)), make('span', 'who', row.agent ?? ''),
      make('span', 'did', did || 'record ' + row.index), make('span', 'how', [state, lasting(row.duration_ms)].filter(Boolean).join(' · ')));
    const facts = make('dl');
    const fact = (name, value) => value && facts.append(make('dt', '', name), make('dd', '', value));
    fact('Index in the log', String(row.index));
    fact('Event id', row.event_id);
    fact('Type', row.event_type);
    fact('Happened', row.at);
    fact('Recorded', row.recorded_at);
    fact('Error', row.error);
    const detail = make('div', 'detail', row.why ? make('p', row.state === 'fails' ? 'why' : 'soft', row.why) : null, facts,
      row.meta ? make('pre', '', spread(row.meta)) : null,
      row.content ? make('pre', '', spread(row.content)) : null,
      row.is_content_withheld ? make('p', 'soft', 'The content is withheld or erased; the metadata proves without it.') : null);
    const line = make('details', 'line ' + tone, summary, detail);
    line.open = row.state === 'fails';
    return line;
  }

  function timeline(answer) {
    let day = '';
    const lines = [make('h2', '', 'Timeline')];
    for (const row of answer.records) {
      const at = (row.at ?? row.recorded_at ?? '').slice(0, 10);
      if (at && at !== day) lines.push(make('p', 'soft', at + ' (UTC)'));
      day = at || day;
      lines.push(event(row));
    }
    return lines;
  }

  function show(answer, module, expected) {
    const { report: found, subject } = answer;
    const kind = subject ? subject.kind[0].toUpperCase() + subject.kind.slice(1) + ' ' : '';
    page.replaceChildren(
      make('p', 'eyebrow', 'Evidence from a tamper-evident log'),
      make('h1', '', subject ? kind + subject.id : 'Unreadable'),
      verdict(answer), checks(answer), ...findings(found),
      ...(subject ? [signer(answer, module, expected), ...report(answer), ...timeline(answer)] : []));
    const footer = make('footer', '', 'Checked here, offline: checkpoint of ' + count(found.size, 'entry', 'entries') + ', root ' + found.root +
      '. The program of a page comes with the page: if you do not trust who gave it to you, run tacho verify on this file.');
    document.querySelector('footer')?.remove();
    page.after(footer);
  }

  async function run(module, expected) {
    try {
      show(await check(module, expected), module, expected);
    } catch (error) {
      root.dataset.verdict = 'failed';
      const box = make('section', 'verdict bad', tick('bad'), make('div', '', make('p', 'word', 'The check did not run: rely on nothing here'),
        make('p', '', String(error))));
      page.replaceChildren(box);
    }
  }

  (async () => {
    const text = atob(document.getElementById('checker').textContent);
    const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    let module = null;
    try {
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      module = await WebAssembly.compile(await new Response(stream).arrayBuffer());
    } catch (error) { /* told by run */ }
    await run(module, '');
  })();
})();
