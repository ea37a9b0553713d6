// A single-page app in miniature: views without page loads, and a chat that
// goes with whoever is signed in.
'use strict';

const tag = document.querySelector('script[data-bot-id]');
const botId = tag.dataset.botId;
const view = document.getElementById('view');
const said = document.getElementById('said');
const who = document.getElementById('who');

const views = {
  shop: ['Spring, unhurried', 'Packs, mugs and blankets. The chat stays open while you change views.'],
  orders: ['Your orders', 'Nothing yet. Slow journeys begin slowly.'],
  account: ['Your account', 'Sign in and out below, and watch the chat start afresh.'],
};

function show() {
  const name = location.pathname.split('/')[2] ?? 'shop';
  const [title, text] = views[name] ?? views.shop;
  const h1 = document.createElement('h1');
  const p = document.createElement('p');
  h1.textContent = title;
  p.textContent = text;
  view.replaceChildren(h1, p);
  for (const link of document.querySelectorAll('.tabs a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

document.querySelector('.tabs').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  show();
});
addEventListener('popstate', show);

async function freshToken() {
  const answer = await fetch('/chat-token');
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}`);
  return (await answer.json()).token;
}

async function session(method, as) {
  await fetch('/session', { method, body: as && new URLSearchParams({ as }), redirect: 'manual' });
}

/** Runs one step of a button and says how it went. */
function step(button, name, words, work) {
  document.getElementById(button).addEventListener('click', async () => {
    try {
      await work();
      if (name) who.textContent = name;
      said.textContent = words;
    } catch (error) {
      said.textContent = `That did not work: ${error.message}`;
    }
  });
}

step('sign-in', 'Alice', 'Signed in as Alice. The chat is hers now.', async () => {
  await session('POST', 'alice');
  window.ScaiBot?.destroy();
  window.ScaiBot?.init({ token: await freshToken(), botId });
});

step('sign-out', 'Guest', 'Signed out. The chat is gone: nothing of Alice is left on the page.', async () => {
  await session('DELETE');
  window.ScaiBot?.destroy();
});

step('guest', '', 'The chat is back, for a guest.', async () => {
  window.ScaiBot?.destroy();
  window.ScaiBot?.init({ token: await freshToken(), botId });
});

show();
