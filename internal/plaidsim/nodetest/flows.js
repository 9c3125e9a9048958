// The flows of an application, by Plaid's own Node SDK, against the simulator at SIMULATOR. It prints one line of JSON:
// the number of calls, of those per method, and what Plaid would have taken and the simulator refused.
'use strict';

const crypto = require('crypto');
const http = require('http');
const { Configuration, PlaidApi, ProcessorTokenCreateRequestProcessorEnum, Products, CountryCode } = require('plaid');

const base = process.env.SIMULATOR;
const plaid = new PlaidApi(new Configuration({
  basePath: base,
  baseOptions: { headers: { 'PLAID-CLIENT-ID': 'node-client', 'PLAID-SECRET': 'node-secret', 'Plaid-Version': '2020-09-14' } },
}));

const report = { calls: 0, methods: {}, refused: [], wrong: [] };

async function call(method, request) {
  report.calls++;
  report.methods[method] = (report.methods[method] || 0) + 1;
  return (await plaid[method](request)).data;
}

// ok is a call that Plaid takes.
async function ok(method, request) {
  try {
    return await call(method, request);
  } catch (err) {
    const data = (err.response && err.response.data) || {};
    report.refused.push(`${method}: ${data.error_code || err.message}: ${data.error_message || ''}`);
    throw err;
  }
}

// refused is a call that Plaid refuses with one of the codes.
async function refused(method, request, ...codes) {
  try {
    await call(method, request);
    report.wrong.push(`${method}: succeeded, want ${codes}`);
  } catch (err) {
    const code = err.response && err.response.data && err.response.data.error_code;
    want(codes.includes(code), `${method}: ${code || err.message}, want ${codes}`);
  }
}

function want(holds, what) {
  if (!holds) report.wrong.push(what);
}

// webhooks keeps what arrives, with the header and the exact body.
const arrived = [];
let waiting = [];
const receiver = http.createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts).toString();
    arrived.push({ jwt: req.headers['plaid-verification'], body, hook: JSON.parse(body) });
    res.end();
    waiting.forEach((wake) => wake());
    waiting = [];
  });
});

async function webhook(code) {
  for (;;) {
    const found = arrived.find((w) => w.hook.webhook_code === code);
    if (found) return found;
    await new Promise((wake) => waiting.push(wake));
  }
}

// verify checks a webhook as Plaid's documents tell to.
async function verify(w) {
  const [head, payload, signature] = w.jwt.split('.');
  const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url'));
  want(alg === 'ES256', `a webhook is signed by ${alg}`);
  const { key } = await ok('webhookVerificationKeyGet', { key_id: kid });
  const good = crypto.verify('sha256', Buffer.from(`${head}.${payload}`),
    { key: crypto.createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  want(good, 'the signature of a webhook does not fit');
  const sum = crypto.createHash('sha256').update(w.body).digest('hex');
  want(JSON.parse(Buffer.from(payload, 'base64url')).request_body_sha256 === sum, 'the sum of a webhook does not fit its body');
}

// walk goes through a hosted page, pane by pane, with these fields for each.
async function walk(url, panes) {
  let page = await fetch(url);
  for (const fields of panes) {
    const html = await page.text();
    const form = new URLSearchParams(typeof fields === 'function' ? fields(html) : fields);
    page = await fetch(page.url, { method: 'POST', body: form });
  }
  return page.text();
}

const signIn = { username: 'user_good', password: 'pass_good', submit: '1' };

// choose ticks the account with this mask.
function choose(mask) {
  return (html) => {
    const input = html.match(/<input[^>]*account_ids[^>]*>/g).find((tag) => tag.includes(`data-mask="${mask}"`));
    return { account_ids: input.match(/value="([^"]*)"/)[1], submit: '1' };
  };
}

const linkRequest = (more) => ({
  user: { client_user_id: 'node-1' }, client_name: 'Plaid Quickstart', country_codes: [CountryCode.Us], language: 'en', ...more,
});

async function sync(token) {
  let cursor = null; // as Plaid's Quickstart begins
  let added = [];
  for (;;) {
    const page = await ok('transactionsSync', { access_token: token, cursor, count: 100, options: null });
    if (page.next_cursor !== '') cursor = page.next_cursor; // it is empty before anything is ready
    added = added.concat(page.added);
    if (page.has_more) continue;
    if (page.transactions_update_status === 'HISTORICAL_UPDATE_COMPLETE') return { added, cursor };
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

async function products(token) {
  const accounts = (await ok('accountsGet', { access_token: token })).accounts;
  const auth = await ok('authGet', { access_token: token, options: { account_ids: null } });
  want(auth.numbers.ach.length === 3, `${auth.numbers.ach.length} ACH numbers, want 3`);
  const one = auth.accounts[0].account_id;
  await ok('authGet', { access_token: token, options: { account_ids: [one] } });
  const owners = (await ok('identityGet', { access_token: token })).accounts[0].owners;
  want(owners[0].names[0] === 'Alberta Bobbeth Charleson', 'the owner has another name');
  const match = await ok('identityMatch', { access_token: token, user: { legal_name: 'Alberta Charleson', phone_number: null, email_address: null, address: null } });
  want(match.accounts[0].legal_name.score === 99, `a score of ${match.accounts[0].legal_name.score}, want 99`);
  await ok('accountsBalanceGet', { access_token: token, options: { account_ids: [one], min_last_updated_datetime: null } });
  const { added, cursor } = await sync(token);
  want(added.length > 0, 'a sync gives no rows');
  await ok('transactionsSync', { access_token: token, cursor });
  await ok('transactionsRefresh', { access_token: token });
  const got = await ok('transactionsGet', { access_token: token, start_date: '2020-01-01', end_date: '2100-01-01', options: { count: 10, offset: 0, account_ids: null } });
  want(got.transactions.length === 10 && got.total_transactions === added.length, 'transactions/get differs from transactions/sync');
  await ok('transactionsRecurringGet', { access_token: token });
  return { accounts, one };
}

async function quickstart(hook) {
  await ok('linkTokenCreate', linkRequest({ products: [Products.Auth, Products.Transactions], webhook: null, redirect_uri: null }));
  await refused('linkTokenCreate', linkRequest({ products: [] }), 'INVALID_FIELD');
  await refused('linkTokenCreate', linkRequest({ products: [Products.Balance] }), 'INVALID_PRODUCT');
  const made = await ok('sandboxPublicTokenCreate', {
    institution_id: 'ins_109508', initial_products: [Products.Auth, Products.Transactions], options: { webhook: hook, override_username: null, override_password: null },
  });
  const item = await ok('itemPublicTokenExchange', { public_token: made.public_token });
  if (process.env.RE_EXCHANGE === 'observed') {
    const again = await ok('itemPublicTokenExchange', { public_token: made.public_token });
    want(again.item_id === item.item_id, 'the same public token gives another Item');
  } else {
    await refused('itemPublicTokenExchange', { public_token: made.public_token }, 'INVALID_PUBLIC_TOKEN');
  }
  const token = item.access_token;
  const { one } = await products(token);
  const got = await ok('itemGet', { access_token: token });
  await ok('institutionsGetById', { institution_id: got.item.institution_id, country_codes: [CountryCode.Us], options: { include_optional_metadata: true, include_status: true } });
  return { token, one };
}

async function webhooks(token, hook) {
  await ok('itemWebhookUpdate', { access_token: token, webhook: hook });
  for (const code of ['DEFAULT_UPDATE', 'SYNC_UPDATES_AVAILABLE', 'NEW_ACCOUNTS_AVAILABLE', 'ERROR', 'LOGIN_REPAIRED', 'PENDING_DISCONNECT']) {
    await ok('sandboxItemFireWebhook', { access_token: token, webhook_code: code });
    await verify(await webhook(code));
  }
  await ok('itemWebhookUpdate', { access_token: token, webhook: null });
}

async function hosted() {
  const link = await ok('linkTokenCreate', linkRequest({ products: [Products.Auth], hosted_link: {} }));
  await ok('linkTokenGet', { link_token: link.link_token });
  await walk(link.hosted_link_url, [{ continue: '1' }, ...phone(), { institution_id: 'ins_109508' }, signIn, choose('0000')]);
  const sessions = (await ok('linkTokenGet', { link_token: link.link_token })).link_sessions;
  const done = sessions.find((s) => s.results);
  want(done, 'a finished session has no results');
  const { access_token: token } = await ok('itemPublicTokenExchange', { public_token: done.results.item_add_results[0].public_token });
  await refused('identityGet', { access_token: token }, 'ADDITIONAL_CONSENT_REQUIRED');
  return token;
}

const phone = () => (process.env.PHONE === 'observed' ? [{ phone_number: '415-555-0010', submit: '1' }, { otp: '123456', submit: '1' }] : []);

async function updateMode(token) {
  await ok('sandboxItemResetLogin', { access_token: token });
  await refused('accountsGet', { access_token: token }, 'ITEM_LOGIN_REQUIRED');
  want((await ok('itemGet', { access_token: token })).item.error.error_code === 'ITEM_LOGIN_REQUIRED', 'item/get does not tell the error');
  const link = await ok('linkTokenCreate', linkRequest({ access_token: token, products: null, hosted_link: {} }));
  await walk(link.hosted_link_url, [signIn]);
  await ok('accountsGet', { access_token: token });
  const fresh = (await ok('itemAccessTokenInvalidate', { access_token: token })).new_access_token;
  await refused('itemGet', { access_token: token }, 'INVALID_ACCESS_TOKEN');
  await ok('itemRemove', { access_token: fresh, reason_code: null });
  await refused('itemGet', { access_token: fresh }, 'ITEM_NOT_FOUND');
}

async function processors(token, account) {
  const names = [...new Set(Object.values(ProcessorTokenCreateRequestProcessorEnum)), 'a_name_of_next_year'];
  for (const processor of names) {
    await ok('processorTokenCreate', { access_token: token, account_id: account, processor });
  }
  await ok('processorStripeBankAccountTokenCreate', { access_token: token, account_id: account });
  await ok('processorApexProcessorTokenCreate', { access_token: token, account_id: account });
  await ok('sandboxProcessorTokenCreate', { institution_id: 'ins_109508', options: { override_username: null } });
  report.processors = names.length;
}

async function users(hook) {
  const user = await ok('userCreate', { client_user_id: `node-${Date.now()}`, identity: null });
  const link = await ok('linkTokenCreate', { ...linkRequest({ products: [Products.Auth], user_id: user.user_id, hosted_link: {} }), user: undefined });
  await walk(link.hosted_link_url, [{ continue: '1' }, ...phone(), { institution_id: 'ins_109508' }, signIn, choose('1111')]);
  const done = (await ok('linkTokenGet', { link_token: link.link_token })).link_sessions.find((s) => s.results);
  const { access_token: token } = await ok('itemPublicTokenExchange', { public_token: done.results.item_add_results[0].public_token });
  await ok('sandboxUserResetLogin', { user_id: user.user_id, item_ids: null });
  await refused('accountsGet', { access_token: token }, 'ITEM_LOGIN_REQUIRED');
  await ok('sandboxUserFireWebhook', { user_id: user.user_id, webhook_type: 'CHECK_REPORT', webhook_code: 'CHECK_REPORT_READY', webhook: hook });
  await verify(await webhook('CHECK_REPORT_READY'));
}

async function rest() {
  await ok('categoriesGet', {});
  await ok('institutionsGet', { count: 10, offset: 0, country_codes: [CountryCode.Us] });
  const found = await ok('institutionsSearch', { query: 'Platypus', products: null, country_codes: [CountryCode.Us], options: { oauth: null } });
  want(found.institutions.length > 0, 'a search for Platypus finds nothing');
  const imported = await ok('itemImport', { products: [Products.Auth], user_auth: { user_id: 'user_good', auth_token: 'pass_good' } });
  await ok('accountsGet', { access_token: imported.access_token });
  const legacy = await ok('itemCreatePublicToken', { access_token: imported.access_token });
  await ok('itemPublicTokenExchange', { public_token: legacy.public_token });
  const dynamic = await ok('sandboxPublicTokenCreate', {
    institution_id: 'ins_109508', initial_products: [Products.Transactions], options: { override_username: 'user_transactions_dynamic', override_password: 'x' },
  });
  const { access_token: token } = await ok('itemPublicTokenExchange', { public_token: dynamic.public_token });
  await sync(token);
  const day = new Date().toISOString().slice(0, 10);
  await ok('sandboxTransactionsCreate', { access_token: token, transactions: [{ date_transacted: day, date_posted: day, amount: 12.5, description: 'node' }] });
}

async function main() {
  await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
  const hook = `http://127.0.0.1:${receiver.address().port}/hook`;
  const { token, one } = await quickstart(hook);
  await webhooks(token, hook);
  await updateMode(await hosted());
  await processors(token, one);
  await users(hook);
  await rest();
}

main().catch((err) => report.wrong.push(`stopped: ${err.message}`)).finally(() => {
  console.log(JSON.stringify(report));
  process.exit(0);
});
