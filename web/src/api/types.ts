// The API's JSON shapes as package client has them. null is unknown, never 0.

export interface Usage {
  input_total: number | null;
  input_cache_read: number | null;
  input_cache_write: number | null;
  output_total: number | null;
  output_reasoning: number | null;
}

export interface Cost {
  amount: number | null;
  currency?: string;
  basis: string;
  price?: string;
}

export interface Coverage {
  model_calls: number;
  unknown_usage_calls: number;
  unknown_cost_calls: number;
  root_seen: boolean;
  flags?: string[];
}

export type RunStatus = 'running' | 'waiting' | 'done' | 'stale';

export interface Run {
  id: string;
  trace_ids: string[];
  name: string;
  agent: string;
  version?: string;
  task?: string;
  environment?: string;
  team?: string;
  labels?: Record<string, string>;
  tags?: string[];
  session?: string;
  user?: string;
  mode?: string;
  status: RunStatus;
  outcome: string | null;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
  step_count: number;
  error_count: number;
  model_calls: number;
  tool_calls: number;
  log_count: number;
  failed: boolean;
  error_type?: string;
  usage: Usage;
  cost: Cost;
  models: string[];
  tools: string[];
  sources: string[];
  agents: string[];
  dialects: string[];
  coverage: Coverage;
  revision: number;
  updated_at: string;
}

export interface StepError {
  type?: string;
  message?: string;
}

export interface ToolCall {
  name: string;
  call_id?: string;
  arguments: string | null;
  result: string | null;
}

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

export interface Message {
  ordinal: number;
  field: string;
  role?: string;
  parts: Part[];
  format?: string;
  raw?: string;
  step_id?: string;
  size?: number;
}

export interface StepEvent {
  at: string;
  name: string;
  attributes?: Record<string, unknown>;
}

export interface Step {
  id: string;
  run_id: string;
  parent_id: string | null;
  trace_id?: string;
  span_id?: string;
  revision: number;
  source: string;
  agent?: string;
  version?: string;
  kind: string;
  name: string;
  status: 'ok' | 'error' | 'running';
  error: StepError | null;
  started_at: string;
  start_ns: string;
  duration_ms: number | null;
  ttft_ms?: number | null;
  provider?: string;
  model?: string;
  model_requested?: string;
  response_id?: string;
  finish_reason?: string;
  usage: Usage;
  cost: Cost;
  counted: boolean;
  tool?: ToolCall;
  input?: Message[];
  output?: Message[];
  system?: Message[];
  tools_offered?: Message[];
  documents?: Message[];
  message_refs?: Record<string, string>;
  session?: string;
  user?: string;
  service?: string;
  decision_id?: string;
  flags?: string[];
  dialect?: string;
  scope?: string;
  map_version?: number;
  links?: string[];
  attributes?: Record<string, unknown>;
  resource?: Record<string, unknown>;
  events?: StepEvent[];
}

export interface Log {
  at: string;
  run_id?: string;
  step_id?: string;
  trace_id?: string;
  severity: number;
  event_name?: string;
  body: string;
  agent?: string;
  service?: string;
  scope?: string;
  attributes?: Record<string, unknown>;
}

export interface MetricPoint {
  at: string;
  name: string;
  unit?: string;
  type: string;
  value: number;
  count?: number | null;
  agent?: string;
  service?: string;
  attributes?: Record<string, unknown>;
}

export interface Session {
  id: string;
  agents: string[];
  user?: string;
  runs: number;
  error_runs: number;
  started_at: string;
  updated_at: string;
  usage: Usage;
  cost: Cost;
  last_status: string;
}

export interface List<T> {
  items: T[];
  next?: string;
}

export interface Measure {
  func: string;
  field?: string;
  as?: string;
}

export interface Query {
  from: string;
  select?: Measure[];
  where?: string;
  group_by?: string[];
  bucket?: string;
  start?: string;
  end?: string;
  order_by?: string;
  limit?: number;
}

export interface QueryColumn {
  name: string;
  unit?: string;
  kind: 'dimension' | 'time' | 'measure';
}

export type Cell = string | number | boolean | null;

export interface QueryResult {
  columns: QueryColumn[];
  rows: Cell[][];
  source: string;
  scanned: number;
  took_ms: number;
}

export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  hint?: string;
}

export interface SearchField {
  name: string;
  aliases?: string[];
  scope: string;
  type: string;
  unit?: string;
  operators: string[];
  values?: string[];
  help: string;
}

export interface SearchFields {
  items: SearchField[];
  max_length: number;
  max_depth: number;
}

export interface SearchSuggestion {
  text: string;
  kind: string;
  help?: string;
  from: number;
  to: number;
}

export interface Figure {
  id: string;
  label: string;
  value: number | null;
  unit?: string;
  n: number;
  low?: number | null;
  high?: number | null;
  previous?: number | null;
  unknown?: number;
  formula: string;
  query?: string;
}

export interface OverviewWaiting {
  items: OverviewRow[];
  sources: string[];
}

export interface OverviewRow {
  id: string;
  kind: string;
  text: string;
  since: string;
  until?: string | null;
  owner?: string;
  path?: string;
}

export interface OutcomePoint {
  at: string;
  resolved: number;
  contained: number;
  escalated: number;
  abandoned: number;
  failed: number;
  unknown: number;
  running: number;
  total: number;
}

export interface OverviewOutcomes {
  bucket_ms: number;
  points: OutcomePoint[];
  previous: number[];
}

export interface ChartPoint {
  at: string;
  value: number | null;
  n: number;
}

export interface OverviewChart {
  id: string;
  title: string;
  unit: string;
  series: Record<string, ChartPoint[]>;
  missing?: string;
}

export interface Mark {
  name: string;
  state: string;
  reason?: string;
}

export interface FleetAgent {
  agent: string;
  team: string;
  state: string;
  reason?: string;
  marks: Mark[];
  runs: number;
  running: number;
  failed: number;
  success: Figure;
  resolved: Figure;
  p95_ms: number | null;
  cost: number | null;
  coverage: number | null;
  last_run: string | null;
}

export interface FleetTeam {
  team: string;
  state: string;
  agents: FleetAgent[];
}

export interface Deviation {
  kind: string;
  name: string;
  measure: string;
  value: number | null;
  n: number;
  previous: number | null;
  previous_n: number;
  low?: number | null;
  high?: number | null;
  worse: boolean;
  text: string;
  query: string;
}

export interface Seen {
  state: string;
  text: string;
  last_telemetry_at: string | null;
  age_ms: number | null;
  running: number;
}

export interface Overview {
  from: string;
  to: string;
  previous_from: string;
  previous_to: string;
  environment?: string;
  team?: string;
  text: string;
  figures: Figure[];
  seen: Seen;
  needs_a_person: OverviewWaiting;
  in_force: OverviewWaiting;
  outcomes: OverviewOutcomes;
  charts: OverviewChart[];
  fleet: FleetTeam[];
  outside: Deviation[];
  took_ms: number;
}

export interface HealthPart {
  name: string;
  state: string;
  reason: string;
  facts?: Record<string, unknown>;
}

export interface Health {
  state: string;
  version?: string;
  started_at?: string | null;
  dev: boolean;
  last_batch_at: string | null;
  lag_ms: number | null;
  store_bytes: number | null;
  parts: HealthPart[];
}

export interface Notice {
  id: string;
  title: string;
  text?: string;
  actions?: NoticeAction[];
  links?: NoticeLink[];
}

export interface NoticeAction {
  label: string;
  method: string;
  path: string;
  body?: unknown;
}

export interface NoticeLink {
  label: string;
  path: string;
}

export interface Event {
  type: string;
  data?: unknown;
}

export interface RunUpdated {
  id: string;
  status: string;
  agent?: string;
  team?: string;
  environment?: string;
  session?: string;
  revision?: number;
  steps?: number;
}

export interface Grant {
  role: string;
  team: string;
  environment: string;
}

export interface Me {
  kind: string;
  person: Person | null;
  grants: Grant[];
  token_id?: string;
  expires_at?: string | null;
  operations: string[];
  dev: boolean;
  setup_needed: boolean;
}

export interface Person {
  id: string;
  name: string;
  full_name?: string;
  email?: string;
  disabled: boolean;
  teams: string[];
  grants: Grant[];
  created_at: string;
  version: number;
}

export interface CreatePersonRequest {
  name: string;
  full_name?: string;
  email?: string;
  password: string;
  teams?: string[];
  grants?: Grant[];
}

export interface UpdatePersonRequest {
  version: number;
  full_name?: string | null;
  email?: string | null;
  password?: string | null;
  disabled?: boolean | null;
  teams?: string[] | null;
  grants?: Grant[] | null;
}

export interface Team {
  id: string;
  name: string;
  channel?: string;
  people: string[];
  created_at: string;
  version: number;
}

export interface CreateTeamRequest {
  name: string;
  channel?: string;
}

export interface SignInRequest {
  name?: string;
  password?: string;
  token?: string;
}

export interface SignedIn {
  id: string;
  secret: string;
  person: Person;
  expires_at: string;
}

export interface SignIn {
  id: string;
  person_id: string;
  created_at: string;
  last_used: string;
  expires_at: string;
  agent?: string;
  address?: string;
  current: boolean;
}

export interface Token {
  id: string;
  name: string;
  kind: string;
  owner: string;
  grants: Grant[];
  created_at: string;
  expires_at: string;
  last_used: string | null;
  revoked: boolean;
}

export interface CreateTokenRequest {
  name: string;
  kind?: string;
  grants?: Grant[];
  expires_in?: string;
}

export interface NewToken {
  token: Token;
  secret: string;
}

export interface IntakeKey {
  id: string;
  name: string;
  team: string;
  environment: string;
  spans_per_second?: number;
  bytes_per_second?: number;
  created_at: string;
  expires_at: string | null;
  last_used: string | null;
  revoked: boolean;
}

export interface CreateIntakeKeyRequest {
  name: string;
  team: string;
  environment: string;
  spans_per_second?: number;
  bytes_per_second?: number;
  expires_in?: string;
}

export interface NewIntakeKey {
  key: IntakeKey;
  secret: string;
}

export interface AuditRecord {
  seq: number;
  at: string;
  kind: string;
  who?: string;
  body?: unknown;
}

export interface Operation {
  name: string;
  method: string;
  path: string;
  role: string;
  summary: string;
}

export interface Setup {
  needed: boolean;
  dev: boolean;
}
