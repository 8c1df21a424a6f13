// The API's JSON shapes by short names, from docs/openapi.json (npm run types).
// null is unknown, never 0.
import type { components } from './openapi';

type Shapes = components['schemas'];

export type RunStatus = 'running' | 'waiting' | 'done' | 'stale';
export type Cell = string | number | boolean | null;

export type Usage = Shapes['Usage'];
export type Cost = Shapes['Cost'];
export type Coverage = Shapes['Coverage'];
/** Run has a status of these four. */
export type Run = Omit<Shapes['Run'], 'status'> & { status: RunStatus };
export type StepError = Shapes['StepError'];
export type ToolCall = Shapes['ToolCall'];
export type Part = Shapes['Part'];
export type Message = Shapes['Message'];
export type StepEvent = Shapes['StepEvent'];
/** Step in full; in lists the server leaves out what it can derive (see LightStep). */
export type Step = Omit<Shapes['Step'], 'status' | 'tool'> & Required<Pick<Shapes['Step'], 'run_id' | 'revision' | 'source' | 'started_at' | 'usage' | 'cost'>> & { status: 'ok' | 'error' | 'running'; tool?: ToolCall };
export type Log = Shapes['Log'];
export type MetricPoint = Shapes['MetricPoint'];
export type Session = Shapes['Session'];
/** List is one page of anything. */
export interface List<T> {
  items: T[];
  next?: string;
}
export type Measure = Shapes['Measure'];
export type Query = Shapes['Query'];
export type QueryColumn = Omit<Shapes['QueryColumn'], 'kind'> & { kind: 'dimension' | 'time' | 'measure' };
export type QueryResult = Omit<Shapes['QueryResult'], 'rows' | 'columns'> & { columns: QueryColumn[]; rows: Cell[][] };
export type ProblemBody = Shapes['Problem'];
export type SearchField = Shapes['SearchField'];
export type SearchFields = Shapes['SearchFields'];
export type SearchSuggestion = Shapes['SearchSuggestion'];
export type Figure = Shapes['Figure'];
export type OverviewWaiting = Shapes['OverviewWaiting'];
export type OverviewRow = Shapes['OverviewRow'];
export type OutcomePoint = Shapes['OutcomePoint'];
export type OverviewOutcomes = Shapes['OverviewOutcomes'];
export type ChartPoint = Shapes['ChartPoint'];
export type OverviewChart = Shapes['OverviewChart'];
export type Mark = Shapes['Mark'];
export type FleetAgent = Shapes['FleetAgent'];
export type FleetTeam = Shapes['FleetTeam'];
export type Deviation = Shapes['Deviation'];
export type Seen = Shapes['Seen'];
export type Overview = Shapes['Overview'];
export type HealthPart = Shapes['HealthPart'];
export type Health = Shapes['Health'];
export type Notice = Shapes['Notice'];
export type NoticeAction = Shapes['NoticeAction'];
export type NoticeLink = Shapes['NoticeLink'];
export interface Event {
  type: string;
  data?: unknown;
}
export type RunUpdated = Shapes['RunUpdated'];
export type Grant = Shapes['Grant'];
export type Me = Shapes['Me'];
export type Person = Shapes['Person'];
export type CreatePersonRequest = Shapes['CreatePersonRequest'];
export type UpdatePersonRequest = Shapes['UpdatePersonRequest'];
export type Team = Shapes['Team'];
export type CreateTeamRequest = Shapes['CreateTeamRequest'];
export type SignInRequest = Shapes['SignInRequest'];
export type SignedIn = Shapes['SignedIn'];
export type SignIn = Shapes['SignIn'];
export type Token = Shapes['Token'];
export type CreateTokenRequest = Shapes['CreateTokenRequest'];
export type NewToken = Shapes['NewToken'];
export type IntakeKey = Shapes['IntakeKey'];
export type CreateIntakeKeyRequest = Shapes['CreateIntakeKeyRequest'];
export type NewIntakeKey = Shapes['NewIntakeKey'];
/** AuditRecord holds the canonical record, with what it says in its body. */
export type AuditRecord = Omit<Shapes['AuditRecord'], 'record'> & { record: { body?: unknown } };
export type Setup = Shapes['Setup'];
export type Factors = Shapes['Factors'];
export type Enrolment = Shapes['Enrolment'];
export type RecoveryCodes = Shapes['RecoveryCodes'];
export type ProviderButton = Shapes['ProviderButton'];
export type Proposal = Shapes['Proposal'];
export type Agent = Shapes['Agent'];
export type AgentKey = Shapes['AgentKey'];
export type UnknownAgent = Shapes['UnknownAgent'];
export type Stop = Shapes['Stop'];
export type StopTarget = Shapes['StopTarget'];
export type StopPreview = Shapes['StopPreview'];
export type Upstream = Shapes['Upstream'];
export type Policy = Shapes['Policy'];
export type Budget = Shapes['Budget'];
export type Decision = Shapes['Decision'];
export type PolicyValidation = Shapes['PolicyValidation'];
export type PolicyRevision = Shapes['PolicyRevision'];
export type Simulation = Shapes['Simulation'];
export type EnforceAnswer = Shapes['EnforceAnswer'];
export type PolicyCheck = Shapes['CheckAnswer'];
export type ContentRule = Shapes['ContentRule'];
export type AgentSummary = Shapes['AgentSummary'];
export type InventoryItem = Shapes['InventoryItem'];
export type AuditReport = Shapes['AuditReport'];
export type AuditVerification = Omit<Shapes['AuditVerification'], 'items'> & { items: AuditReport[] };
export type AuditCheckpoint = Shapes['AuditCheckpoint'];
export type AuditKey = Shapes['AuditKey'];
export type SIEMTarget = Shapes['SIEMTarget'];
export type TokenIssuer = Shapes['TokenIssuer'];
export type Authority = Shapes['Authority'];
export type Workload = Shapes['Workload'];
export type AgentJWK = Shapes['AgentJWK'];
export type AgentOAuth = Shapes['AgentOAuth'];
export type JoinToken = Shapes['JoinToken'];
export type Standard = Shapes['Standard'];
export type StandardRule = Shapes['StandardRule'];
export type Conformance = Shapes['Conformance'];
export type Waiver = Shapes['Waiver'];
export type AgentEvent = Shapes['AgentEvent'];
export type AgentVersion = Shapes['AgentVersion'];
export type AgentRevision = Shapes['AgentRevision'];
export type Inventory = Shapes['Inventory'];
export type InventoryChange = Shapes['InventoryChange'];
export type Tool = Shapes['Tool'];
export type ToolDetail = Shapes['ToolDetail'];
export type ToolFinding = Shapes['ToolFinding'];
export type ToolDifference = Shapes['ToolDifference'];
export type ToolVersion = Shapes['ToolVersion'];
export type UpstreamTools = Shapes['UpstreamTools'];
export type Source = Shapes['Source'];
export type SourceDetail = Shapes['SourceDetail'];
export type SourceJob = Shapes['SourceJob'];
export type SourceCause = Shapes['SourceCause'];
export type SourceUse = Shapes['SourceUse'];
export type Approval = Shapes['Approval'];
export type ArgumentField = Shapes['ArgumentField'];
export type PastAnswer = Shapes['PastAnswer'];
export type ApprovalIndicators = Shapes['ApprovalIndicators'];
export type Origin = Shapes['Origin'];
