// Keeps the page fresh and offers the clean-up. It builds no HTML: fresh views are this page again, rendered by orphand.
(() => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  let token = '';
  let drawnAt = performance.now();

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // ---- fresh views -------------------------------------------------------------------------------------------
  let loading = false;
  let again = false;

  function refresh() {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    const request = new XMLHttpRequest();
    // A parsed document, so that no text is ever made into HTML here (Trusted Types are enforced).
    request.responseType = 'document';
    request.open('GET', '/');
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
    request.onload = () => {
      if (request.status === 200 && request.response) draw(request.response);
      else if (token && (request.status === 401 || request.status === 429)) {
        token = '';
        const problem = byId('token-problem');
        if (problem)
          problem.textContent =
            request.status === 401 ? 'That is not the token.' : 'Too many tries; wait a minute.';
      }
    };
    request.onloadend = () => {
      loading = false;
      if (again) {
        again = false;
        refresh();
      }
    };
    request.send();
  }

  function draw(fresh) {
    const open = [...document.querySelectorAll('main details[open]')].map((details) => details.id);
    const focused = document.activeElement;
    // Who is in the middle of typing the token keeps the form.
    const form = document.querySelector('form[data-action=unlock]');
    const freshForm = fresh.querySelector('form[data-action=unlock]');
    if (form && freshForm) freshForm.replaceWith(document.adoptNode(form));
    const path = focused && focused !== document.body ? pathOf(focused) : '';
    document.title = fresh.title;
    for (const part of ['main', 'link[rel=icon]', 'footer']) {
      const old = document.querySelector(part);
      const next = fresh.querySelector(part);
      if (old && next) old.replaceWith(document.adoptNode(next));
    }
    for (const id of open) byId(id)?.setAttribute('open', '');
    if (path) document.querySelector(path)?.focus({ preventScroll: true });
    drawnAt = performance.now();
    ready();
  }

  function pathOf(node) {
    if (node.id) return `#${CSS.escape(node.id)}`;
    if (node.dataset?.action) return `[data-action="${node.dataset.action}"]`;
    const details = node.closest('details[id]');
    return details ? `#${CSS.escape(details.id)} > summary` : '';
  }

  // What needs this script is hidden without it.
  function ready() {
    for (const control of document.querySelectorAll('.control[hidden]')) control.hidden = false;
  }

  function tick() {
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const seconds = Math.round((Number(time.dataset.ago) + performance.now() - drawnAt) / 1000);
      const text = seconds < 60 ? `${seconds}\u00a0s` : `${Math.floor(seconds / 60)}\u00a0min`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // ---- events ------------------------------------------------------------------------------------------------
  function link(state, text) {
    byId('link').dataset.state = state;
    byId('link-text').textContent = text;
  }

  function announce(text) {
    byId('announce').textContent = text;
  }

  function listen() {
    const events = new EventSource('/api/v1/events');
    events.onopen = () => {
      link('live', 'live');
      refresh();
    };
    events.onerror = () => {
      link('lost', 'connection lost, trying again');
      // Closed for good (too many streams, a refusal): the browser does not try again by itself.
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    };
    events.addEventListener('sweep', refresh);
    events.addEventListener('cleanup', (event) => {
      refresh();
      const { state, dryRun, ok } = JSON.parse(event.data);
      if (dryRun) return;
      if (state === 'running') announce('A clean-up has started.');
      else announce(ok ? 'The clean-up is done.' : 'The clean-up ended; something remains.');
    });
    events.addEventListener('finding', (event) => {
      const { change, process } = JSON.parse(event.data);
      announce(
        change === 'gone'
          ? `${process.comm}, process ${process.pid}, is gone.`
          : `${process.verdict}: ${process.cause}`,
      );
    });
  }

  // ---- clean-up ----------------------------------------------------------------------------------------------
  async function post(body) {
    const headers = { 'content-type': 'application/json' };
    if (token) headers.authorization = `Bearer ${token}`;
    const response = await fetch('/api/v1/cleanups', { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `status ${response.status}`);
    return answer;
  }

  function openDialog() {
    const suspects = element('input', { type: 'checkbox' });
    const body = element('div', {});
    const go = element('button', { type: 'button', className: 'danger', hidden: true });
    const plan = element('button', { type: 'button', textContent: 'Plan' });
    const close = element('button', { type: 'button', textContent: 'Close' });
    const dialog = element(
      'dialog',
      { ariaLabel: 'Clean up' },
      element('h2', { textContent: 'Clean up' }),
      element('label', {}, suspects, 'Suspects too: strong evidence, not proof'),
      element('p', {
        className: 'rest',
        textContent: 'Each run looks twice at the host as it is then, and ends only what both looks prove.',
      }),
      body,
      element('div', { className: 'buttons' }, close, plan, go),
    );
    body.setAttribute('aria-live', 'polite');
    document.body.append(dialog);
    dialog.addEventListener('close', () => dialog.remove());
    close.addEventListener('click', () => dialog.close());
    suspects.addEventListener('change', () => {
      go.hidden = true;
      body.replaceChildren();
    });

    const run = async (dryRun) => {
      for (const button of [plan, go, suspects]) button.disabled = true;
      body.replaceChildren(element('p', { textContent: dryRun ? 'Looking twice…' : 'Cleaning up…' }));
      try {
        const report = await post({ dryRun, suspects: suspects.checked });
        body.replaceChildren(...outcome(report));
        go.hidden = !dryRun || report.actions.length === 0;
        go.textContent =
          report.actions.length === 1 ? 'End this process' : `End these ${report.actions.length} processes`;
      } catch (error) {
        body.replaceChildren(element('p', { className: 'warning', textContent: error.message }));
        go.hidden = true;
      }
      for (const button of [plan, go, suspects]) button.disabled = false;
    };
    plan.addEventListener('click', () => run(true));
    go.addEventListener('click', () => run(false));
    dialog.showModal();
  }

  function outcome(report) {
    if (report.actions.length === 0) return [element('p', { textContent: 'Nothing to end.' })];
    const rows = report.actions.map((action) => {
      const ports = action.ports.length > 0 ? ` on ${action.ports.join(', ')}` : '';
      const detail = action.detail ? `: ${action.detail}` : '';
      return element(
        'li',
        {},
        element('b', { textContent: action.outcome }),
        ` ${action.comm} ${action.pid}${ports}${detail}`,
      );
    });
    return [element('ul', {}, ...rows)];
  }

  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-action=plan]')) openDialog();
  });
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    // In memory only: gone with the page, out of reach of whoever reads the browser's storage.
    token = byId('token').value.trim();
    refresh();
  });

  byId('still').remove();
  ready();
  setInterval(tick, 1000);
  listen();
})();
