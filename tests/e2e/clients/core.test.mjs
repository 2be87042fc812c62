// What @medplum/core relies on beyond the guide: login, versions, statuses, paging, bundles, files.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BASE_URL, CLIENT_ID, getStatus, login, newClient, refused } from './medplum.mjs';

let medplum, profile;
const unique = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
const tagged = (value) => [{ system: 'urn:threadwell:test', value }];

before(async () => {
  ({ medplum, profile } = await login());
});

test('login resolves to the profile and fills the session', () => {
  assert.equal(profile.resourceType, 'ClientApplication');
  assert.equal(profile.id, CLIENT_ID);
  assert.ok(medplum.isAuthenticated());
  assert.ok(medplum.getProject().id);
  assert.ok(medplum.getProjectMembership().id);
  assert.equal(medplum.getActiveLogin().profile.reference, `ClientApplication/${CLIENT_ID}`);
});

test('a wrong secret is refused with words', async () => {
  await assert.rejects(newClient().startClientLogin(CLIENT_ID, 'wrong'), /Invalid secret/);
});

test('without a login nothing is read', async () => {
  assert.equal(await refused(newClient().search('Patient'), getStatus), 401);
});

test('errors map back to their HTTP status', async () => {
  const gone = await medplum.createResource({ resourceType: 'Patient' });
  await medplum.deleteResource('Patient', gone.id);
  assert.equal(await refused(medplum.readResource('Patient', gone.id), getStatus), 410);
  const never = '11111111-2222-4333-8444-555555555555';
  assert.equal(await refused(medplum.readResource('Patient', never), getStatus), 404);
  assert.equal(await refused(medplum.createResource({ resourceType: 'Communication' }), getStatus), 400);
  assert.equal(await refused(medplum.search('Patient', 'nonsense=1'), getStatus), 400);
});

test('an unchanged update makes no version', async () => {
  const patient = await medplum.createResource({ resourceType: 'Patient', gender: 'female' });
  const same = await medplum.updateResource({ ...patient });
  assert.equal(same.meta.versionId, patient.meta.versionId);
  const other = await medplum.updateResource({ ...patient, gender: 'other' });
  assert.notEqual(other.meta.versionId, patient.meta.versionId);
  const history = await medplum.readHistory('Patient', patient.id);
  assert.deepEqual(history.entry.map((entry) => entry.resource.gender), ['other', 'female']);
  const old = await medplum.readVersion('Patient', patient.id, patient.meta.versionId);
  assert.equal(old.gender, 'female');
});

test('conditional create and upsert', async () => {
  const value = unique();
  const body = { resourceType: 'Patient', identifier: tagged(value) };
  const one = await medplum.createResourceIfNoneExist(body, `identifier=urn:threadwell:test|${value}`);
  const two = await medplum.createResourceIfNoneExist(body, `identifier=urn:threadwell:test|${value}`);
  assert.equal(one.id, two.id);
  const put = await medplum.upsertResource({ ...body, gender: 'male' }, `identifier=urn:threadwell:test|${value}`);
  assert.equal(put.id, one.id);
  assert.equal(put.gender, 'male');
});

test('pages follow each other', async () => {
  const value = unique();
  for (let i = 0; i < 5; i++) {
    await medplum.createResource({ resourceType: 'Patient', identifier: tagged(`${value}-${i}`), name: [{ family: value }] });
  }
  let seen = 0;
  for await (const page of medplum.searchResourcePages('Patient', { family: value, _count: '2' })) {
    assert.ok(page.length <= 2);
    seen += page.length;
  }
  assert.equal(seen, 5);
  const bundle = await medplum.search('Patient', { family: value, _total: 'accurate', _count: '0' });
  assert.equal(bundle.total, 5);
  assert.equal(bundle.entry, undefined);
});

test('a batch of many, and a transaction that links', async () => {
  const reference = 'urn:uuid:7d8f9c7e-3c0f-4b56-8f0e-0a6a4b3c2d1e';
  const answer = await medplum.executeBatch({
    resourceType: 'Bundle', type: 'transaction',
    entry: [
      { request: { method: 'POST', url: 'Task' }, resource: { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference } } },
      { fullUrl: reference, request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } },
    ],
  });
  assert.deepEqual(answer.entry.map((entry) => entry.response.status), ['201', '201']);
  assert.equal(answer.entry[0].resource.for.reference, `Patient/${answer.entry[1].resource.id}`);
});

test('a file becomes a Binary and reads back', async () => {
  const attachment = await medplum.createAttachment({ data: 'a note', filename: 'note.txt', contentType: 'text/plain' });
  assert.ok(attachment.url);
  const message = await medplum.createResource({
    resourceType: 'Communication', status: 'completed', payload: [{ contentAttachment: attachment }],
  });
  const url = message.payload[0].contentAttachment.url;
  const file = await fetch(url);
  assert.equal(file.status, 200);
  assert.equal(await file.text(), 'a note');
  assert.ok(new URL(url).origin === new URL(BASE_URL).origin);
});
