package erase

// Table says of each column of text of a table what an erasure does with it. A
// column is in one of the lists; TestEveryColumnIsListed holds them to the schema.
type Table struct {
	// Plain are ids, names of parts of the house, states, hashes and configuration:
	// written by Reeve or by people for the house, and never what a user said.
	Plain string
	// Why says of Plain what the names alone do not.
	Why string
	// Swept are texts and documents out of which words are cut.
	Swept string
	// Place is what receipts call where the Swept columns are shown.
	Place string
	// Run is the column of the run that a row is about: of erased runs all words go.
	Run string
	// Where limits what is swept, in SQL; the others are erased in the way of By.
	Where string
	// Drop deletes a row in which something is found, since it is proved by a hash.
	Drop bool
	// By are columns that another part erases: "part: columns".
	By map[string]string
	// Stays are texts that cannot be changed any more: what is found is counted.
	Stays string
}

// The places of receipts, in their order.
const (
	Incidents  = "incidents"
	Findings   = "findings"
	Alerts     = "alerts"
	Messages   = "messages"
	Results    = "evaluations"
	Lessons    = "lessons"
	Acts       = "acts"
	Settings   = "settings"
	Events     = "events"
	ChangeLog  = "log of changes"
	lookedInto = "words and names in "
)

// Place is one of the receipt's.
type Place struct{ Name, Note string }

// Places are where words are looked for.
func Places() []Place {
	return []Place{
		{Incidents, lookedInto + "incidents: titles, timelines, signals, acts, tasks, reviews, silences, runbooks' protocols"},
		{Findings, lookedInto + "findings, people's verdicts on them, what followed of them, objectives' states"},
		{Alerts, lookedInto + "alerts and changes that others sent, and notes on them"},
		{Messages, lookedInto + "messages that channels and pages carried, and what came back"},
		{Results, lookedInto + "evaluations, outcomes' evidence, feedback of others, experiments, cases that people wrote; of erased runs all words"},
		{Lessons, lookedInto + "lessons and audits of sources"},
		{Acts, lookedInto + "people's notes to runs, holds, votes, proposals that are decided, tasks of other agents"},
		{Settings, lookedInto + "reasons that people gave for settings, and tools' findings"},
		{Events, lookedInto + "the outbox and timers"},
		{ChangeLog, "states before and after in the log of changes are dropped where they hold something; a record's own reason is chained and stays"},
	}
}

// Columns is every table of the control database.
var Columns = map[string]Table{
	"a2a_tasks":              {Plain: "upstream kind id owner agent instance credential team context state", Swept: "person", Place: Acts},
	"agent_aliases":          {Plain: "team kind value agent"},
	"agent_keys":             {Plain: "id agent label hash networks created_by"},
	"agent_revisions":        {Plain: "agent author action body", Swept: "reason", Place: Settings},
	"agents":                 {Plain: "name team body version", Why: "body is what people set of an agent"},
	"alert_history":          {Plain: "alert kind severity person", Swept: "note", Place: Alerts},
	"alert_seen":             {Plain: "alert"},
	"alerts":                 {Plain: "id source kind state how severity agent team environment digest", Swept: "alert_key title body raw", Place: Alerts},
	"approval_opened":        {Plain: "approval person"},
	"approval_runs":          {Plain: "run approval agent person name"},
	"approval_votes":         {Plain: "approval person name verdict groups bound mac", Swept: "reason", Place: Acts},
	"approvals":              {Plain: "id state agent team environment run resource joins arguments bound mac used_by code", Why: "joins, arguments and bound are keyed hashes", Swept: "reason", Place: Acts, By: map[string]string{"approvals": "ask request edited answer"}},
	"audit":                  {Plain: "kind person leaf", Stays: "record", Place: ChangeLog},
	"audit_content":          {Plain: "key", Swept: "before_state after_state", Drop: true, Place: ChangeLog},
	"backups":                {Plain: "id by_who state error tried_error"},
	"bias_plans":             {Plain: "name agent team environment body"},
	"budgets":                {Plain: "name body"},
	"canaries":               {Plain: "name body", Why: "prompts that people wrote for the house"},
	"canary_answers":         {Plain: "canary body", Why: "answers to those"},
	"changes":                {Plain: "id source kind status agent team environment", Swept: "change_key title body", Place: Alerts},
	"channel_states":         {Plain: "channel event told_key state outcome", Swept: "body", Place: Messages},
	"channels":               {Plain: "name kind team body secret", Why: "secret is sealed"},
	"chat_accounts":          {Plain: "channel account person", Why: "accounts of the house's people"},
	"compliance_assessments": {Plain: "id framework body", Why: "figures and searches; its hash is in the log of changes"},
	"compliance_frameworks":  {Plain: "id text"},
	"compliance_schedules":   {Plain: "framework person"},
	"content_rules":          {Plain: "name body"},
	"cost_reports":           {Plain: "month"},
	"cost_settings":          {Plain: "body person"},
	"counters":               {Plain: "name"},
	"coverage":               {Plain: "agent team environment"},
	"cursors":                {Plain: "name"},
	"dataset_exported":       {Plain: "export item"},
	"dataset_exports":        {Plain: "id dataset format sha256 person", Swept: "reason", Place: Settings},
	"dataset_items":          {Plain: "id dataset case_id run agent verdict consent", Swept: "body", Where: "run = '' AND withdrawn = 0", Place: Results, By: map[string]string{"cases": "user_ref"}},
	"dataset_key":            {Plain: "key"},
	"dataset_withdrawn":      {Plain: "user_ref team", Why: "a keyed hash, so that nobody's case comes again"},
	"datasets":               {Plain: "name team environment body"},
	"decision_users":         {By: map[string]string{"decisions": "pseudonym name"}},
	"deliveries":             {Plain: "id channel purpose object page state", Swept: "body", Place: Messages},
	"detector_settings":      {Plain: "detector agent body person", Swept: "reason", Place: Settings},
	"drills":                 {Plain: "name agent team environment body"},
	"erasures":               {Plain: "id by_who of_what", Why: "receipts", Swept: "reason parts", Place: Settings},
	"evaluations":            {Plain: "id run evaluator source verdict agent version team environment person", Swept: "body", Run: "run", Place: Results},
	"evaluators":             {Plain: "name team environment body"},
	"experiment_results":     {Plain: "experiment item pair side run", Swept: "body", Where: "forgotten = 0", Run: "run", Place: Results, By: map[string]string{}},
	"experiments":            {Plain: "id agent team environment kind dataset state of_plan", Swept: "body", Place: Results},
	"factors":                {Plain: "id person_id kind label secret"},
	"feedback":               {Plain: "id source team environment giver verdict kind run agent version wait_run", Swept: "wait_session wait_key body", Place: Results, By: map[string]string{"feedback": "user_ref"}},
	"feedback_forms":         {Plain: "name form_key team environment body"},
	"feedback_keys":          {Plain: "team environment run", Swept: "join_key", Place: Results},
	"feedback_status":        {Plain: "token feedback", Why: "a hash; erasing the feedback ends its links"},
	"finding_verdicts":       {Plain: "finding detector agent subject verdict person name", Swept: "reason", Place: Findings},
	"findings":               {Plain: "id detector fingerprint severity team environment agent", Why: "a fingerprint is a hash", Swept: "body", Place: Findings},
	"fleet_approved":         {Plain: "agent hash by_who", Swept: "reason", Place: Settings},
	"fleet_claims":           {Plain: "id team environment name agent_id service run_id step_id last_run"},
	"fleet_days":             {Plain: "item"},
	"fleet_items":            {Plain: "id claim kind name detail run_id", Why: "models, tools, prompts by hash, sources that agents use"},
	"fleet_known":            {Plain: "agent kind name by_who", Swept: "reason", Place: Settings},
	"fleet_marks":            {},
	"fleet_parts":            {Plain: "place body", Why: "hashes and names of what an agent is made of"},
	"fleet_unknown":          {Plain: "id team environment name state agent undo decided_by", Swept: "reason", Place: Settings},
	"fleet_versions":         {Plain: "place hash parts made_of changed run_id approved_by", Swept: "reason", Place: Settings},
	"fleet_waivers":          {Plain: "agent rule by_who", Swept: "reason", Place: Settings},
	"gate_results":           {Plain: "id agent outcome", Swept: "body", Place: Results},
	"gate_sets":              {Plain: "agent dataset person approved_by"},
	"grants":                 {Plain: "person_id role team environment"},
	"hook_names":             {Plain: "name team"},
	"hook_secrets":           {Plain: "id hook secret"},
	"hooks":                  {Plain: "name purpose kind team body"},
	"incident_acts":          {Plain: "id incident state", Swept: "body", Place: Incidents},
	"incident_entries":       {Plain: "incident kind", Swept: "body", Place: Incidents},
	"incident_moves":         {Plain: "id kind source target person", Swept: "body", Place: Incidents},
	"incident_reviews":       {Plain: "incident state", Swept: "body", Place: Incidents},
	"incident_signals":       {Plain: "incident fingerprint", Swept: "body", Place: Incidents},
	"incident_tasks":         {Plain: "id incident kind owner", Swept: "body", Place: Incidents},
	"incident_told":          {Plain: "incident who act delivery", Why: "who is a keyed hash, so that nobody is told twice"},
	"incident_weights":       {Plain: "person", Swept: "body", Place: Incidents},
	"incidents":              {Plain: "id state severity team environment", Swept: "body", Place: Incidents},
	"intake_keys":            {Plain: "id name team environment hash"},
	"invoice_lines":          {Plain: "invoice day provider model currency"},
	"invoices":               {Plain: "id name format first_day last_day person"},
	"invoke_targets":         {Plain: "agent body"},
	"join_tokens":            {Plain: "id agent hash label created_by instance"},
	"kpi_versions":           {Plain: "id body person", Swept: "reason", Place: Settings},
	"lesson_reads":           {Plain: "lesson agent how"},
	"lessons":                {Plain: "id team incident", Swept: "body", Place: Lessons},
	"logins":                 {Plain: "issuer subject person_id", Why: "the house's people"},
	"model_jobs":             {Plain: "upstream id agent job", Why: "the ids of a provider's jobs and files"},
	"oauth_clients":          {Plain: "agent body"},
	"oauth_keys":             {Plain: "agent kid jwk created_by"},
	"objective_labels":       {Plain: "objective run"},
	"objective_proposals":    {Plain: "id objective agent team environment state", Swept: "body", Place: Findings},
	"objective_states":       {Plain: "objective", Swept: "body", Place: Findings},
	"objectives":             {Plain: "name team environment body person", Swept: "reason", Place: Settings},
	"oncall_contacts":        {Plain: "person body", Why: "the house's people"},
	"oncall_policies":        {Plain: "name team body"},
	"oncall_schedules":       {Plain: "name team body"},
	"outbox":                 {Plain: "type object", Swept: "data", Place: Events},
	"outcome_cursor":         {Plain: "mode behind"},
	"outcome_due":            {Plain: "run"},
	"outcome_evidence":       {Plain: "id team environment kind source sender_id named_by run agent outcome person", Swept: "named text", Run: "run", Place: Results},
	"outcome_feeds":          {Plain: "feed"},
	"outcome_rules":          {Plain: "name body person", Swept: "reason", Place: Settings},
	"pages":                  {Plain: "id kind object team state", Swept: "body", Place: Messages},
	"people":                 {Plain: "id name full_name email password", Why: "the house's people"},
	"policies":               {Plain: "name team mode origin cedar author", Swept: "reason", Place: Settings},
	"policy_revisions":       {Plain: "policy author action team mode origin cedar", Swept: "reason", Place: Settings},
	"poller_places":          {Plain: "name body"},
	"poller_seen":            {Plain: "name id"},
	"pollers":                {Plain: "name body"},
	"proposals":              {Plain: "id operation team environment person_id state decided_by", Swept: "path body summary reason error", Where: "state NOT IN ('open', 'confirmed')", Place: Acts},
	"recovery_codes":         {Plain: "person_id hash"},
	"relay_cursors":          {Plain: "name counts"},
	"relay_destinations":     {Plain: "name body"},
	"remaps":                 {Plain: "id state", Swept: "body", Place: Settings},
	"rerates":                {Plain: "id state body"},
	"response_policies":      {Plain: "name body person", Swept: "reason", Place: Settings},
	"responses":              {Plain: "id policy finding agent team environment state", Swept: "body", Place: Findings},
	"retention_marks":        {Plain: "kind environment team"},
	"retention_rules":        {Plain: "kind environment team by_who", Swept: "reason", Place: Settings},
	"revoked_tokens":         {Plain: "id"},
	"rule_revisions":         {Plain: "name body person", Swept: "reason", Place: Settings},
	"rules":                  {Plain: "name body person", Swept: "reason", Place: Settings},
	"run_holds":              {Plain: "run agent team environment person name", Swept: "reason", Run: "run", Place: Acts},
	"run_notes":              {Plain: "id run agent team environment person name decision", Swept: "text", Run: "run", Place: Acts},
	"runbook_runs":           {Plain: "id incident state", Swept: "body", Place: Incidents},
	"runbooks":               {Plain: "name team body"},
	"schema_migrations":      {Plain: "name"},
	"settings":               {Plain: "name value"},
	"sign_ins":               {Plain: "id person_id cookie_hash secret_hash address agent", Why: "the house's people"},
	"silenced_signals":       {Plain: "fingerprint", Swept: "body", Place: Incidents},
	"silences":               {Plain: "id kind team", Swept: "body", Place: Incidents},
	"source_audit_plans":     {Plain: "source running body", Why: "questions that people wrote for the house, with their answers"},
	"source_audits":          {Plain: "id source person", Swept: "body", Place: Lessons},
	"source_checks":          {Plain: "source name", Swept: "note", Place: Lessons},
	"source_documents":       {Plain: "source document version embedding title uri", Why: "what agents may read, by name"},
	"source_edges":           {Plain: "team job source"},
	"source_job_runs":        {Plain: "team job run state", Swept: "note", Place: Lessons},
	"source_results":         {Plain: "source name"},
	"source_versions":        {Plain: "source version job run"},
	"sources":                {Plain: "name namespace dataset team kind body found sender out_of_use"},
	"spent_ids":              {Plain: "hash"},
	"sqlite_sequence":        {},
	"stops":                  {Plain: "id kind by_person lifted_by receipt", Swept: "value reason", Where: "lifted_at IS NOT NULL OR ended_at IS NOT NULL", Place: Settings},
	"suspect_verdicts":       {Plain: "run team environment agent step kind person person_name example", Why: "example is numbers", Swept: "name reason", Place: Findings, Run: "run"},
	"svids":                  {Plain: "serial agent instance via"},
	"team_people":            {Plain: "team_id person_id"},
	"teams":                  {Plain: "id name channel"},
	"timers":                 {Plain: "id kind", Swept: "body", Place: Events},
	"token_issuers":          {Plain: "name body"},
	"tokens":                 {Plain: "id name kind owner_id hash scopes"},
	"tool_findings":          {Plain: "upstream tool code hash closed_by resolution", Swept: "text detail", Place: Settings},
	"tool_versions":          {Plain: "upstream tool hash definition accepted_by", Why: "definitions that servers list"},
	"tools":                  {Plain: "upstream name listed accepted state body"},
	"topic_cells":            {Plain: "team environment topic middle", Why: "sums of many prompts", By: map[string]string{"cases": "words"}},
	"topic_places":           {Plain: "feed"},
	"topic_runs":             {By: map[string]string{"cases": "run team environment agent version session outcome verdict user_ref"}},
	"topic_said":             {Plain: "run verdict"},
	"topic_sessions":         {By: map[string]string{"cases": "team environment session agent version signs recent"}},
	"topics":                 {Plain: "id team environment name words went_to", Why: "words that three or more used, and a name that somebody gave"},
	"upstream_connections":   {Plain: "upstream body", Why: "sealed"},
	"upstream_switches":      {Plain: "upstream target by", Swept: "reason", Place: Settings},
	"upstreams":              {Plain: "name body"},
	"value_assumptions":      {Plain: "body person", Swept: "reason", Place: Settings},
	"workloads":              {Plain: "id agent body created_by"},
}
