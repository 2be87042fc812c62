// Medplum's client subscribes as its guides say: over a WebSocket, by criteria.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { login } from './medplum.mjs';

let medplum;
let patient;
let others;

const active = () => medplum.searchResources('Subscription', 'status=active', { cache: 'reload' });

before(async () => {
  ({ medplum } = await login());
  others = new Set((await active()).map(({ id }) => id));
  patient = await medplum.createResource({ resourceType: 'Patient', name: [{ given: ['Mia'] }] });
});

// An open socket would keep the process from its end.
after(() => medplum.getSubscriptionManager().closeWebSocket());

/** What an emitter says next, by the name of the event. */
const next = (emitter, name) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${name} came`)), 20_000);
    emitter.addEventListener(name, (event) => {
      clearTimeout(late);
      resolve(event);
    });
  });

const write = (text) =>
  medplum.createResource({
    resourceType: 'Communication',
    status: 'completed',
    subject: { reference: `Patient/${patient.id}` },
    payload: [{ contentString: text }],
  });

test('a message that the criteria find is told, with the resource', async () => {
  const criteria = `Communication?subject=Patient/${patient.id}`;
  const emitter = medplum.subscribeToCriteria(criteria);
  const { payload } = await next(emitter, 'connect');
  const heard = next(emitter, 'message');
  const other = await medplum.createResource({ resourceType: 'Communication', status: 'completed' });
  const written = await write('Hello');
  const { payload: bundle } = await heard;
  const [status, entry] = bundle.entry;
  assert.equal(bundle.resourceType, 'Bundle');
  assert.equal(status.resource.resourceType, 'SubscriptionStatus');
  assert.equal(status.resource.subscription.reference, `Subscription/${payload.subscriptionId}`);
  assert.equal(entry.resource.id, written.id);
  assert.notEqual(entry.resource.id, other.id);
  assert.equal(entry.resource.payload[0].contentString, 'Hello');
});

test('two subscribers hear of their own', async () => {
  const mine = medplum.subscribeToCriteria(`Communication?status=completed&subject=Patient/${patient.id}`);
  const all = medplum.subscribeToCriteria('Task');
  await Promise.all([next(mine, 'connect'), next(all, 'connect')]);
  const [message, task] = [next(mine, 'message'), next(all, 'message')];
  const made = await medplum.createResource({
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
  });
  const written = await write('Again');
  assert.equal((await message).payload.entry[1].resource.id, written.id);
  assert.equal((await task).payload.entry[1].resource.id, made.id);
  const seen = next(all, 'message');
  await medplum.updateResource({ ...made, status: 'completed' });
  assert.equal((await seen).payload.entry[1].resource.status, 'completed');
});

test('who is done takes the Subscriptions along', async () => {
  const there = async () => (await active()).filter(({ id }) => !others.has(id));
  assert.equal((await there()).length, 3);
  medplum.getSubscriptionManager().closeWebSocket();
  for (let tries = 0; tries < 200 && (await there()).length; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal((await there()).length, 0);
});
