// The shapes a run's page reads: the parts of the API's Step, Message and Log
// that the logic here needs. They are structural, so a value of the generated
// API types fits without a copy.

/** Tokens; null is unknown, which is not zero. */
export interface Usage {
  input_total?: number | null;
  input_cache_read?: number | null;
  input_cache_write?: number | null;
  output_total?: number | null;
  output_reasoning?: number | null;
}

/** Money; amount null is unknown. */
export interface Cost {
  amount?: number | null;
  currency?: string;
  basis?: string;
  price?: string;
}

/** A step as the list gives it: without content. */
export interface LightStep {
  id: string;
  parent_id?: string | null;
  kind: string;
  name: string;
  status: string;
  start_ns: string;
  duration_ms?: number | null;
  ttft_ms?: number | null;
  agent?: string;
  provider?: string;
  model?: string;
  usage?: Usage;
  cost?: Cost;
  counted?: boolean;
  error?: { type?: string; message?: string } | null;
  tool?: { name?: string; call_id?: string; arguments?: string | null; result?: string | null } | null;
  finish_reason?: string;
  message_refs?: Record<string, string>;
  flags?: string[];
  source?: string;
  decision_id?: string;
  links?: string[];
}

/** One piece of a message. */
export interface Part {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  arguments?: string;
  mime_type?: string;
  uri?: string;
  data?: string;
}

/** A message of a run, stored once; the same message resent has the same ordinal. */
export interface Message {
  ordinal: number;
  field: string;
  role?: string;
  parts: Part[] | null;
  format?: string;
  raw?: string;
  step_id?: string;
  size?: number;
}
