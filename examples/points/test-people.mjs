// Stands for the people of the tests: BASE is the console of a server in dev mode.
const api = async (method, path, body) => {
  const r = await fetch(`${process.env.BASE}/api/v1${path}`, { method, headers: body ? { 'content-type': 'application/json' } : {}, body: body && JSON.stringify(body) });
  const v = r.status === 204 ? undefined : await r.json();
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${JSON.stringify(v)}`);
  return v;
};

async function pending(tool) {
  for (let i = 0; i < 400; i++) {
    const a = (await api('GET', '/approvals?state=pending')).items.find((x) => x.tool === tool);
    if (a) return api('GET', `/approvals/${a.id}`);
    await new Promise((ok) => setTimeout(ok, 50));
  }
  throw new Error(`nothing waits for ${tool}`);
}

const answer = (verb) => async (tool) => {
  const a = await pending(tool);
  await api('POST', `/approvals/${a.id}/opened`);
  return api('POST', `/approvals/${a.id}/${verb}`, { ...(verb === 'approve' ? { hash: a.arguments.hash } : {}), reason: 'a test' });
};
export const agree = answer('approve');
export const refuse = answer('deny');

/** decisions are those of the agent, the newest first, once all are stored. */
export async function decisions() {
  await new Promise((ok) => setTimeout(ok, 1500));
  return (await api('GET', '/decisions?agent=clerk&limit=200')).items;
}
