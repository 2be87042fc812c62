// fhir-kit-client, which knows nothing of Medplum: plain FHIR R4 REST.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as kit from 'fhir-kit-client';
import { login } from './medplum.mjs';

const Client = kit.default ?? kit.Client;
let fhir;

before(async () => {
  const { medplum } = await login();
  fhir = new Client({ baseUrl: `${process.env.BASE_URL}fhir/R4` });
  fhir.bearerToken = medplum.getAccessToken();
});

test('capability statement', async () => {
  const statement = await fhir.capabilityStatement();
  assert.equal(statement.fhirVersion, '4.0.1');
  assert.equal(statement.rest[0].resource.length, 146);
});

test('create, read, update, patch, history, delete', async () => {
  const made = await fhir.create({ resourceType: 'Patient', body: { resourceType: 'Patient', gender: 'male' } });
  assert.equal((await fhir.read({ resourceType: 'Patient', id: made.id })).gender, 'male');
  await fhir.update({ resourceType: 'Patient', id: made.id, body: { ...made, gender: 'female' } });
  const patched = await fhir.patch({
    resourceType: 'Patient', id: made.id, jsonPatch: [{ op: 'add', path: '/active', value: true }],
  });
  assert.deepEqual([patched.gender, patched.active], ['female', true]);
  const history = await fhir.resourceHistory({ resourceType: 'Patient', id: made.id });
  assert.equal(history.entry.length, 3);
  await fhir.delete({ resourceType: 'Patient', id: made.id });
  await assert.rejects(fhir.read({ resourceType: 'Patient', id: made.id }), (error) => error.response.status === 410);
});

test('search, next page, compartment of includes', async () => {
  const family = `Lindqvist${Date.now()}`;
  for (let i = 0; i < 3; i++) {
    await fhir.create({ resourceType: 'Patient', body: { resourceType: 'Patient', name: [{ family }] } });
  }
  const page = await fhir.search({ resourceType: 'Patient', searchParams: { family, _count: 2 } });
  assert.equal(page.entry.length, 2);
  const next = await fhir.nextPage({ bundle: page });
  assert.equal(next.entry.length, 1);
});

test('transaction and batch', async () => {
  const entry = [{ request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } }];
  for (const type of ['batch', 'transaction']) {
    const answer = await fhir[type]({ body: { resourceType: 'Bundle', type, entry } });
    assert.equal(answer.type, `${type}-response`);
    assert.match(answer.entry[0].response.status, /^201/);
  }
});
