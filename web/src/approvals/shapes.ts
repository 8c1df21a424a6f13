// The shapes of approvals, as the API has them.
export interface Piece { text: string; kind?: string }
export interface ShownText { text: string; pieces: Piece[]; bytes: number; cut: boolean; marked: number }
export interface ArgumentField { path: string; kind: string; value: ShownText; was: ShownText | null; origin?: string[] }
export interface Arguments { hash: string; bytes: number; edited: boolean; fields: ArgumentField[]; more: number; whole: ShownText | null }
export interface VoteGroup { name: string; count: number; have: number }
export interface Vote { person: string; name: string; verdict: string; groups: string[]; reason?: string; at: string; opened: boolean; counts: boolean }
export interface ApprovalCan { approve: boolean; edit: boolean; deny: boolean; take_over: boolean; give_back: boolean; unopened: boolean; why?: string }
export interface PastAnswer { id: string; state: string; at: string; by: string[]; reason?: string; same: boolean }
export interface Takeover { approval: string; person: string; at: string; until: string }
export interface Approval {
  id: string; state: string; created_at: string; expires_at: string; decided_at: string | null; ended_at: string | null; page: string;
  words: string; agent: string; version?: string; owner?: string; team: string; environment: string; user?: string; chain: string[];
  run_id: string; session?: string; decision_id: string; used_by?: string;
  action: string; name: string; resource: string; upstream: string; tool?: string; model?: string; effect: string; pin?: string;
  classes: string[]; destinations: string[]; external: boolean; forwarded: boolean;
  amount: ShownText | null; currency: ShownText | null; destination: ShownText | null; agent_words: ShownText | null;
  reasons: { code: string; text: string }[]; statements: { policy: string; statement: string; hash?: string }[];
  groups: VoteGroup[]; votes: Vote[]; asked: number; code?: string; reason?: string; arguments: Arguments | null;
  can: ApprovalCan; takeover: Takeover | null; similar: PastAnswer[];
}
export interface ApproverLoad { name: string; answers: number; approved: number; denied: number; unopened: number; per_day: number; p50_s: number | null }
export interface ApprovalIndicators {
  from: string; to: string; asked: number; answered: number; pending: number; states: Record<string, number>;
  answer_p50_s: number | null; answer_p95_s: number | null; unopened_share: number | null; approvers: ApproverLoad[]; incomplete: boolean;
}
