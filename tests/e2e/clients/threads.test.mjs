// Life of a thread, with @medplum/core as published: what its guides change, and our operations beside.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { login } from './medplum.mjs';

const READ_STATE = 'https://medplum.com/fhir/StructureDefinition/thread-read-state';

let medplum, patient, nurse, doctor, header, draft;

const named = (resource) => ({ reference: `${resource.resourceType}/${resource.id}` });
const operate = (resource, name, parameter = []) => medplum.post(
  medplum.fhirUrl(resource.resourceType, resource.id, name), { resourceType: 'Parameters', parameter },
);
const valueOf = (parameters, name) => parameters.parameter.find((one) => one.name === name);
const read = (resource) => medplum.readResource(resource.resourceType, resource.id, { cache: 'reload' });

before(async () => {
  ({ medplum } = await login());
  const family = `Adeyemi-${Date.now()}`;
  patient = await medplum.createResource({ resourceType: 'Patient', name: [{ given: ['Tola'], family }] });
  nurse = await medplum.createResource({ resourceType: 'Practitioner', name: [{ given: ['Ada'], family }] });
  doctor = await medplum.createResource({ resourceType: 'Practitioner', name: [{ given: ['Jon'], family }] });
  header = await medplum.createResource({
    resourceType: 'Communication', status: 'in-progress', topic: { text: 'Sleep' },
    subject: named(patient), sender: named(nurse), recipient: [named(patient), named(nurse)],
  });
});

test('a draft is kept, found by its sender, and sent by its status', async () => {
  draft = await medplum.createResource({
    resourceType: 'Communication', status: 'preparation', partOf: [named(header)], sender: named(nurse),
    payload: [{ contentString: 'Try to' }],
  });
  const mine = { sender: named(nurse).reference, status: 'preparation' };
  assert.equal((await medplum.searchResources('Communication', mine, { cache: 'reload' })).length, 1);
  await medplum.patchResource('Communication', draft.id, [
    { op: 'replace', path: '/payload/0/contentString', value: 'Try to rest.' },
    { op: 'replace', path: '/status', value: 'in-progress' },
    { op: 'add', path: '/sent', value: new Date().toISOString() },
  ]);
  assert.equal((await medplum.searchResources('Communication', mine, { cache: 'reload' })).length, 0);
});

test('people join and leave', async () => {
  const joined = await operate(header, '$add-participant', [{ name: 'participant', valueReference: named(doctor) }]);
  assert.equal(valueOf(joined, 'status').valueCode, 'in-progress');
  assert.equal((await read(header)).recipient.length, 3);
  await operate(header, '$remove-participant', [{ name: 'participant', valueReference: named(nurse) }]);
  const names = (await read(header)).recipient.map((one) => one.reference);
  assert.deepEqual(names, [named(patient).reference, named(doctor).reference]);
});

test('what was read is told, also by the extension of the guide', async () => {
  const done = await operate(header, '$mark-read', [{ name: 'reader', valueReference: named(doctor) }]);
  assert.equal(valueOf(done, 'up-to').valueReference.reference, named(draft).reference);
  const there = await read(header);
  there.extension = [...(there.extension ?? []), {
    url: READ_STATE,
    extension: [
      { url: 'participant', valueReference: named(doctor) },
      { url: 'lastRead', valueReference: named(draft) },
      { url: 'lastReadAt', valueDateTime: new Date().toISOString() },
    ],
  }];
  const kept = await medplum.updateResource(there);
  assert.ok(kept.extension.some((one) => one.url === READ_STATE));
});

test('a message is taken back, and the thread closed and opened again', async () => {
  const told = await operate(draft, '$retract', [{ name: 'reason', valueString: 'a slip' }]);
  assert.equal(valueOf(told, 'unsent').valueBoolean, false);
  assert.equal((await read(draft)).status, 'entered-in-error');
  const closed = await operate(header, '$close-thread');
  assert.equal(valueOf(closed, 'status').valueCode, 'completed');
  const open = { 'part-of:missing': true, recipient: named(doctor).reference, 'status:not': 'completed,entered-in-error,stopped,unknown' };
  assert.equal((await medplum.searchResources('Communication', open, { cache: 'reload' })).length, 0);
  await medplum.patchResource('Communication', header.id, [{ op: 'replace', path: '/status', value: 'in-progress' }]);
  assert.equal((await medplum.searchResources('Communication', open, { cache: 'reload' })).length, 1);
});
