// A small app of the practice's own: Medplum's form signs somebody in, and their thread is shown.
import { MantineProvider } from '@mantine/core';
import { MedplumClient } from '@medplum/core';
import { MedplumProvider, SignInForm, useMedplum, useMedplumProfile } from '@medplum/react';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const baseUrl = new URLSearchParams(location.search).get('server');
const client = new MedplumClient({ baseUrl, cacheTime: 0 });

function Threads() {
  const medplum = useMedplum();
  const [messages, setMessages] = useState([]);
  useEffect(() => {
    async function load() {
      const headers = await medplum.searchResources('Communication', 'part-of:missing=true');
      const found = await Promise.all(
        headers.map((one) => medplum.searchResources('Communication', { 'part-of': `Communication/${one.id}` }))
      );
      setMessages(found.flat());
    }
    load();
  }, [medplum]);
  return (
    <ol>
      {messages.map((one) => (
        <li key={one.id}>{one.payload[0].contentString}</li>
      ))}
    </ol>
  );
}

function App() {
  return useMedplumProfile() ? <Threads /> : <SignInForm onSuccess={() => {}}>Sign in</SignInForm>;
}

createRoot(document.getElementById('root')).render(
  <MedplumProvider medplum={client}>
    <MantineProvider>
      <App />
    </MantineProvider>
  </MedplumProvider>
);
