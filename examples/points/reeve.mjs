// Ask Reeve before a tool runs inside your own process, and report how it ended.
// Copy this file; it needs nothing but fetch (Node 18 or newer).
//
//   const reeve = new Reeve();                       // REEVE_DOOR, REEVE_AGENT_KEY: `reeve run` sets both
//   const out = await reeve.guard('pay', { amount: 5 }, (args) => pay(args));
//
// It fails closed: without an answer that allows, the tool does not run.

/** Refused is thrown instead of running a tool. */
export class Refused extends Error {
  constructor(answer) {
    super(`Reeve refused (${answer.id || answer.code || 'no decision'}): ${answer.reason}${answer.approval ? ` (${answer.approval.address})` : ''}`);
    this.name = 'Refused';
    this.answer = answer;
  }
}

export class Reeve {
  /**
   * @param {{door?: string, key?: string, session?: string, waitMs?: number, timeoutMs?: number}} o
   *   waitMs is how long to wait for a person where one must agree; 0 asks and returns.
   */
  constructor({ door = process.env.REEVE_DOOR, key = process.env.REEVE_AGENT_KEY, session = process.env.REEVE_SESSION, waitMs = 0, timeoutMs = 10_000 } = {}) {
    if (!door || !key) throw new Error('Reeve: set REEVE_DOOR and REEVE_AGENT_KEY, or start with `reeve run`');
    Object.assign(this, { door: door.replace(/\/$/, ''), key, session, waitMs, timeoutMs });
  }

  async #call(method, path, body, waitMs = 0) {
    try {
      const r = await fetch(this.door + path, {
        method,
        headers: { authorization: `Bearer ${this.key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(this.timeoutMs + waitMs),
      });
      const v = await r.json();
      return r.ok ? v : { verdict: 'deny', code: v.code, reason: v.detail ?? `status ${r.status}` };
    } catch (e) {
      return { verdict: 'deny', code: 'reeve.unreachable', reason: `no answer from Reeve: ${e.message}` };
    }
  }

  /** decide asks whether a tool may run. callId is the model's id of the call: asking again with it gives the same decision. */
  decide(tool, args, { callId, run, waitMs = 0 } = {}) {
    return this.#call('POST', '/decisions', {
      tool, arguments: args ?? {}, obligations: ['arguments'], wait_ms: Math.min(waitMs, 60_000),
      ...(callId ? { call_id: callId, key: callId } : {}), ...(run ? { run } : {}), ...(this.session ? { session: this.session } : {}),
    }, waitMs);
  }

  /** settle waits until a person answered what is held, at most waitMs. */
  async settle(answer, waitMs = this.waitMs) {
    const until = Date.now() + waitMs;
    for (let a = answer; ;) {
      const left = until - Date.now();
      if (a.verdict !== 'hold' || left <= 0) return a;
      const wait = Math.min(left, 30_000);
      a = await this.#call('GET', `/decisions/${a.id}/answer?wait_ms=${wait}`, undefined, wait);
    }
  }

  /** complete reports how an allowed tool ended. What it cannot report is not an error of the tool's. */
  complete(answer, result, { output, error, durationMs } = {}) {
    if (!answer.expires_at) return Promise.resolve();
    return this.#call('POST', `/decisions/${answer.id}/complete`, {
      result, ...(output === undefined ? {} : { output: plain(output) }), ...(error ? { error: String(error).slice(0, 500) } : {}), ...(durationMs ? { duration_ms: Math.round(durationMs) } : {}),
    });
  }

  /** guard runs a tool if Reeve allows it, with the arguments that Reeve allows, and reports its end. */
  async guard(tool, args, run, options = {}) {
    return this.#run(await this.settle(await this.decide(tool, args, { ...options, waitMs: Math.min(this.waitMs, 30_000) })), args, run);
  }

  /** perform is guard for an answer that is there already. */
  perform(answer, args, run) {
    return this.#run(answer, args, run);
  }

  async #run(answer, args, run) {
    if (answer.verdict !== 'allow') throw new Refused(answer);
    const started = performance.now();
    try {
      const output = await run(answer.arguments ?? args);
      await this.complete(answer, 'ok', { output, durationMs: performance.now() - started });
      return output;
    } catch (error) {
      await this.complete(answer, 'error', { error, durationMs: performance.now() - started });
      throw error;
    }
  }
}

function plain(v) {
  try {
    return JSON.parse(JSON.stringify(v));
  } catch {
    return String(v);
  }
}
