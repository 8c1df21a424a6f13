// The demo's own agents: what they do passes the door.
const live = ['refund-agent', 'research-agent', 'data-analyst', 'returns-nightly'];

export default [
  {
    name: 'demo: each tool that the live agents call was decided at the door',
    limit: 60_000,
    async run(t) {
      for (let n = 0; ; n++) {
        const seen = (await t.api('/coverage')).items.filter((c) => live.includes(c.agent));
        const past = seen.filter((c) => c.ungoverned > 0);
        if (past.length > 0) throw new Error(`past the door: ${JSON.stringify(past)}`);
        if (seen.filter((c) => c.governed > 0).length >= 2) return;
        if (n === 200) throw new Error(`the live agents are not seen: ${JSON.stringify(seen)}`);
        await new Promise((r) => setTimeout(r, 250));
      }
    },
  },
];
