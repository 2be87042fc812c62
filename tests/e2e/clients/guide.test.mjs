// The guide "Representing Asynchronous Encounters", step by step, with @medplum/core as published.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ACT, login } from './medplum.mjs';

const SNOMED = 'http://snomed.info/sct';
const KIND = 'https://medplum.com/fhir/CodeSystem/encounter-type';
const idsOf = (resources) => resources.map((resource) => resource.id).sort();

let medplum, nora, leo, doctor, header, first, second, session, children;

before(async () => {
  ({ medplum } = await login());
  const family = `Okafor-${Date.now()}`;
  nora = await medplum.createResource({ resourceType: 'Patient', name: [{ given: ['Nora'], family }] });
  leo = await medplum.createResource({ resourceType: 'Patient', name: [{ given: ['Leo'], family }] });
  doctor = await medplum.createResource({ resourceType: 'Practitioner', name: [{ given: ['Ines'], family }] });
  const both = [{ reference: `Patient/${nora.id}` }, { reference: `Practitioner/${doctor.id}` }];
  header = await medplum.createResource({
    resourceType: 'Communication', status: 'in-progress', topic: { text: 'Cough at night' },
    subject: both[0], sender: both[1], recipient: both,
  });
  const message = (text, sender, sent) => medplum.createResource({
    resourceType: 'Communication', status: 'completed', partOf: [{ reference: `Communication/${header.id}` }],
    sender, payload: [{ contentString: text }], sent,
  });
  second = await message('Honey helps; come by if it lasts.', both[1], '2025-02-03T08:15:00.000Z');
  first = await message('She coughs every night.', both[0], '2025-02-03T08:00:00.000Z');
});

test('create the session encounter', async () => {
  session = await medplum.createResource({
    resourceType: 'Encounter', status: 'in-progress',
    class: { system: ACT, code: 'VR', display: 'virtual' },
    subject: { reference: `Patient/${nora.id}` },
    participant: [{ individual: { reference: `Practitioner/${doctor.id}` } }],
  });
  assert.equal(session.class.code, 'VR');
  assert.ok(session.id && session.meta.versionId && session.meta.lastUpdated);
});

test('link the thread header with a JSON Patch', async () => {
  const linked = await medplum.patchResource('Communication', header.id, [
    { op: 'add', path: '/encounter', value: { reference: `Encounter/${session.id}` } },
  ]);
  assert.equal(linked.encounter.reference, `Encounter/${session.id}`);
  assert.notEqual(linked.meta.versionId, header.meta.versionId);
  assert.equal((await medplum.readResource('Communication', first.id)).encounter, undefined);
});

test('create a medical encounter for each patient', async () => {
  children = await Promise.all([nora, leo].map((patient) => medplum.createResource({
    resourceType: 'Encounter', status: 'in-progress', class: { system: ACT, code: 'VR', display: 'virtual' },
    subject: { reference: `Patient/${patient.id}` }, partOf: { reference: `Encounter/${session.id}` },
    reasonCode: [{ coding: [{ system: SNOMED, code: '38341003' }] }],
    type: [{ coding: [{ system: KIND, code: 'medical-encounter', display: 'Medical Encounter' }] }],
  })));
  assert.equal(new Set(idsOf(children)).size, 2);
});

test('verify with search', async () => {
  const virtual = await medplum.searchResources('Encounter', { class: `${ACT}|VR`, _count: '1000' });
  for (const encounter of [session, ...children]) {
    assert.ok(virtual.some((found) => found.id === encounter.id));
  }
  const threads = await medplum.searchResources('Communication', {
    encounter: `Encounter/${session.id}`, 'part-of:missing': true,
  });
  assert.deepEqual(idsOf(threads), [header.id]);
  const parts = await medplum.searchResources('Encounter', { 'part-of': `Encounter/${session.id}` });
  assert.deepEqual(idsOf(parts), idsOf(children));
  const leos = await medplum.searchResources('Encounter', { 'part-of': `Encounter/${session.id}`, subject: `Patient/${leo.id}` });
  assert.deepEqual(idsOf(leos), [children[1].id]);
  const messages = await medplum.searchResources('Communication', { 'part-of': `Communication/${header.id}`, _sort: 'sent' });
  assert.deepEqual(messages.map((message) => message.id), [first.id, second.id]);
});
