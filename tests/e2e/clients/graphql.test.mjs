// A thread asked for by GraphQL, with @medplum/core as published: what its messaging guides do so.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { getStatus, login, refused } from './medplum.mjs';

const named = (resource) => ({ reference: `${resource.resourceType}/${resource.id}` });

let medplum, patient, nurse, header;

before(async () => {
  ({ medplum } = await login());
  const family = `Imani-${Date.now()}`;
  patient = await medplum.createResource({ resourceType: 'Patient', name: [{ given: ['Zuri'], family }] });
  nurse = await medplum.createResource({ resourceType: 'Practitioner', name: [{ given: ['Per'], family }] });
  header = await medplum.createResource({
    resourceType: 'Communication', status: 'in-progress', topic: { text: 'Ankle' },
    subject: named(patient), sender: named(nurse), recipient: [named(patient)],
  });
  for (const [at, text] of ['It hurts.', 'Since when?', 'Monday.'].entries()) {
    await medplum.createResource({
      resourceType: 'Communication', status: 'completed', partOf: [named(header)],
      sender: named(at % 2 ? nurse : patient), payload: [{ contentString: text }],
      sent: `2031-04-01T09:0${at}:00.000Z`,
    });
  }
});

test('the messages of a thread, with who wrote them', async () => {
  const { data, errors } = await medplum.graphql(`
    query Messages($thread: String!, $limit: Int = 10) {
      CommunicationList(part_of: $thread, _sort: "sent", _count: $limit) {
        resourceType
        payload { contentString }
        sender { reference resource { ... on Patient { name { given } } ... on Practitioner { name { given } } } }
      }
    }`, 'Messages', { thread: named(header).reference });
  assert.equal(errors, undefined);
  assert.deepEqual(
    data.CommunicationList.map((one) => [one.sender.resource.name[0].given[0], one.payload[0].contentString]),
    [['Zuri', 'It hurts.'], ['Per', 'Since when?'], ['Zuri', 'Monday.']],
  );
});

test('threads of a patient, each with its last message', async () => {
  const { data } = await medplum.graphql(`{
    CommunicationList(subject: "${named(patient).reference}", part_of: "") { id }
    Patient(id: "${patient.id}") {
      CommunicationList(_reference: subject) {
        topic { text }
        CommunicationList(_reference: part_of, _sort: "-sent", _count: 1) { payload { contentString } }
      }
    }
  }`);
  const [thread] = data.Patient.CommunicationList;
  assert.equal(thread.topic.text, 'Ankle');
  assert.equal(thread.CommunicationList[0].payload[0].contentString, 'Monday.');
});

test('a connection counts', async () => {
  const { data } = await medplum.graphql(`{
    CommunicationConnection(part_of: "${named(header).reference}", _count: 2) {
      count pageSize edges { resource { id } }
    }
  }`);
  assert.equal(data.CommunicationConnection.count, 3);
  assert.equal(data.CommunicationConnection.edges.length, 2);
});

test('what is no query is refused, and what is not there is null', async () => {
  assert.equal(await refused(medplum.graphql('{ PatientList { nothing } }'), getStatus), 400);
  const { data, errors } = await medplum.graphql('{ Patient(id: "none") { id } }');
  assert.deepEqual([data, errors.length], [{ Patient: null }, 1]);
});

test('the schema of a resource type is asked for as the library does', async () => {
  await medplum.requestSchema('Patient');
});
