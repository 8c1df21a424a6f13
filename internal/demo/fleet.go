package demo

import (
	"slices"

	"reeve/examples/agentkit"
)

var teams = []string{"support", "research", "data", "finance", "logistics", "platform"}

// member is one agent of the generated fleet.
type member struct {
	team, name, work string // work names an entry of works
	framework        string
	provider, model  string
	environment      string
	perDay           float64 // runs on a working day
	quirks           quirks
}

// quirks are what is worth finding in thirty days. Days count from the oldest.
type quirks struct {
	failing   float64 // share of runs that fail, on top of the usual 2 %
	noUsage   bool    // the framework reports no tokens
	newModel  string  // from newOn on: another model
	newOn     int     // day of a new version
	slowTool  float64 // from newOn on: tools take so many times as long
	badDay    int     // a day on which the provider fails
	delegates bool    // some runs call a second agent
	nightly   bool    // runs at night, weekends too
	longRuns  bool    // many turns
	handsOver bool    // for the last two days a new version hands most of its work to people
}

const (
	langGraph  = "langgraph"
	crewAI     = "crewai"
	pydanticAI = "pydantic-ai"
	agentsSDK  = "openai-agents"
)

// dialects is how each framework's instrumentation speaks, under its scope.
var dialects = map[string]struct {
	dialect agentkit.Dialect
	scope   string
	version string
}{
	langGraph:  {agentkit.OpenInference{}, "openinference.instrumentation.langchain", "0.1.52"},
	crewAI:     {agentkit.OpenLLMetry{}, "opentelemetry.instrumentation.crewai", "0.47.3"},
	pydanticAI: {agentkit.GenAI{}, "pydantic-ai", "1.18.0"},
	agentsSDK:  {agentkit.GenAI{}, "opentelemetry.instrumentation.openai_agents", "0.6.1"},
}

// fleet is forty agents in six teams and four frameworks.
var fleet = []member{
	{"support", "order-status", "orders", langGraph, "openai", "gpt-4o-mini", "production", 70, quirks{}},
	{"support", "refund-agent", "refund", pydanticAI, "openai", "gpt-4o-mini", "production", 60, quirks{badDay: 17}},
	{"support", "returns-helper", "refund", langGraph, "openai", "gpt-4o-mini", "production", 34, quirks{}},
	{"support", "warranty-desk", "refund", crewAI, "anthropic", "claude-haiku-4-5", "production", 18, quirks{}},
	{"support", "chat-triage", "triage", agentsSDK, "openai", "gpt-5-mini", "production", 64, quirks{delegates: true, badDay: 17, handsOver: true}},
	{"support", "complaint-writer", "writing", pydanticAI, "anthropic", "claude-sonnet-4-5", "production", 14, quirks{}},
	{"support", "phone-notes", "writing", langGraph, "openai", "gpt-4o", "staging", 9, quirks{failing: 0.05}},
	{"support", "faq-curator", "research", crewAI, "anthropic", "claude-haiku-4-5", "production", 6, quirks{nightly: true}},

	{"research", "research-agent", "research", langGraph, "anthropic", "claude-sonnet-4-5", "production", 22, quirks{}},
	{"research", "paper-scout", "research", agentsSDK, "openai", "gpt-5", "production", 12, quirks{longRuns: true}},
	{"research", "market-brief", "research", crewAI, "openai", "gpt-4o", "production", 10, quirks{nightly: true}},
	{"research", "competitor-watch", "research", pydanticAI, "google", "gemini-2.5-pro", "production", 8, quirks{}},
	{"research", "citation-checker", "checking", langGraph, "mistral_ai", "mistral-small-latest", "staging", 14, quirks{}},
	{"research", "survey-coder", "coding", crewAI, "openai", "gpt-4o-mini", "production", 11, quirks{noUsage: true}},

	{"data", "data-analyst", "query", pydanticAI, "openai", "gpt-4o", "staging", 18, quirks{}},
	{"data", "sql-helper", "query", agentsSDK, "openai", "gpt-5-mini", "production", 36, quirks{}},
	{"data", "dashboard-writer", "query", langGraph, "anthropic", "claude-sonnet-4-5", "production", 12, quirks{}},
	{"data", "schema-guard", "checking", pydanticAI, "openai", "gpt-4o-mini", "production", 16, quirks{nightly: true}},
	{"data", "anomaly-explainer", "query", crewAI, "anthropic", "claude-haiku-4-5", "production", 9, quirks{failing: 0.08}},
	{"data", "catalog-tagger", "coding", langGraph, "openai", "gpt-4o-mini", "production", 20, quirks{}},
	{"data", "metric-librarian", "research", agentsSDK, "openai", "gpt-5-mini", "test", 5, quirks{}},

	{"finance", "invoice-matcher", "matching", pydanticAI, "openai", "gpt-4o-mini", "production", 42, quirks{newOn: 23, slowTool: 3.5}},
	{"finance", "expense-checker", "checking", crewAI, "openai", "gpt-4o-mini", "production", 26, quirks{}},
	{"finance", "contract-summarizer", "writing", langGraph, "openai", "gpt-4o-mini", "production", 15, quirks{newOn: 20, newModel: "gpt-4o"}},
	{"finance", "dunning-writer", "writing", agentsSDK, "openai", "gpt-4o", "production", 13, quirks{}},
	{"finance", "vat-advisor", "research", pydanticAI, "anthropic", "claude-sonnet-4-5", "production", 7, quirks{}},
	{"finance", "close-assistant", "matching", crewAI, "anthropic", "claude-haiku-4-5", "production", 8, quirks{nightly: true, longRuns: true}},

	{"logistics", "returns-nightly", "returns", crewAI, "anthropic", "claude-haiku-4-5", "production", 12, quirks{nightly: true, longRuns: true}},
	{"logistics", "carrier-claims", "orders", langGraph, "openai", "gpt-4o-mini", "production", 17, quirks{}},
	{"logistics", "stock-forecaster", "query", pydanticAI, "inhouse", "house-llama-70b", "production", 12, quirks{}},
	{"logistics", "route-planner", "matching", agentsSDK, "openai", "gpt-5-mini", "production", 19, quirks{failing: 0.04}},
	{"logistics", "customs-papers", "writing", pydanticAI, "google", "gemini-2.5-flash", "production", 14, quirks{}},
	{"logistics", "dock-scheduler", "triage", langGraph, "mistral_ai", "mistral-small-latest", "production", 21, quirks{}},
	{"logistics", "damage-assessor", "checking", crewAI, "openai", "gpt-4o", "staging", 9, quirks{noUsage: true}},

	{"platform", "code-reviewer", "checking", agentsSDK, "anthropic", "claude-sonnet-4-5", "production", 38, quirks{longRuns: true}},
	{"platform", "incident-scribe", "writing", pydanticAI, "openai", "gpt-5", "production", 6, quirks{}},
	{"platform", "runbook-agent", "triage", langGraph, "openai", "gpt-5-mini", "production", 9, quirks{delegates: true}},
	{"platform", "dependency-bot", "checking", crewAI, "openai", "gpt-4o-mini", "production", 18, quirks{nightly: true}},
	{"platform", "onboarding-buddy", "research", agentsSDK, "openai", "gpt-4o-mini", "production", 11, quirks{}},
	{"platform", "test-writer", "coding", langGraph, "deepseek", "deepseek-chat", "test", 15, quirks{failing: 0.1}},
}

// places are the team and environment pairs of the fleet and the live agents:
// one intake key each.
func places() []place {
	var out []place
	add := func(p place) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, m := range fleet {
		add(place{m.team, m.environment})
	}
	for _, s := range liveSpecs() {
		add(place{s.Service.Namespace, s.Service.Environment})
	}
	return out
}

// work is what an agent does, with words for it. In texts {n} is a number,
// {d} a small one, {s} a subject.
type work struct {
	task     string
	mode     string
	system   string
	prompts  []string
	followUp []string
	tools    []toolText
	answers  []string
	subjects []string
	turns    int // model calls at most, usually
}

type toolText struct {
	name, description string
	arguments         string
	results           []string
	typical           int // ms
	failure           string
}

var works = map[string]work{
	"orders": {
		task: "order status", mode: "interactive", turns: 3,
		system:   "You answer questions about orders of an online shop. Look the order up first. Never guess a date. Use the customer number, never a name. Offer a claim when a parcel has had no scan for ten days.",
		prompts:  []string{"Where is my order {n}?", "Order {n} should have been here two days ago.", "Has order {n} left the warehouse?", "Please change the delivery of order {n} to next week."},
		followUp: []string{"And when will it arrive?", "Can somebody leave it with a neighbour?", "Thanks. What if it does not come?"},
		subjects: []string{"desk lamp", "standing desk", "headphones", "espresso machine", "backpack"},
		tools: []toolText{
			{"lookup_order", "Look up an order by its number.", `{"order_id":"{n}"}`, []string{`{"order_id":"{n}","product":"{s}","status":"in_transit","carrier":"parcel","last_scan_hours":{d}}`, `{"order_id":"{n}","product":"{s}","status":"delivered","days_since_delivery":{d}}`}, 90, "orders database: statement timeout after 1500 ms"},
			{"track_parcel", "Ask the carrier where a parcel is.", `{"tracking":"TR{n}"}`, []string{`{"tracking":"TR{n}","stage":"sorting centre","scans":{d},"expected":"tomorrow before 14:00"}`, `{"tracking":"TR{n}","stage":"out for delivery","stops_before":{d}}`}, 420, "carrier gateway: 503 service unavailable"},
		},
		answers: []string{"Your {s} (order {n}) is in the sorting centre and should arrive tomorrow before 14:00.", "Order {n} was delivered {d} days ago. If it is not there I can open a claim with the carrier.", "The parcel with your {s} is out for delivery; there are {d} stops before yours."},
	},
	"refund": {
		task: "refund", mode: "interactive", turns: 4,
		system:   "You handle refunds of an online shop. Look the order up, read the policy for its category, then refund at most what was paid or explain why not. Above 500 EUR a person has to agree: hand over with a summary.",
		prompts:  []string{"I want my money back for order {n}.", "Order {n} arrived damaged.", "The {s} from order {n} stopped working.", "Can I still return order {n}?"},
		followUp: []string{"When will the money be there?", "Do I need to send it back?", "Can I have a replacement instead?"},
		subjects: []string{"office chair", "kettle", "keyboard", "rain jacket", "monitor arm"},
		tools: []toolText{
			{"lookup_order", "Look up an order by its number.", `{"order_id":"{n}"}`, []string{`{"order_id":"{n}","product":"{s}","total":129.5,"currency":"EUR","status":"delivered","days_since_delivery":{d}}`}, 90, "orders database: statement timeout after 1500 ms"},
			{"search_articles", "Search the knowledge base.", `{"query":"refund policy {s}"}`, []string{`{"results":[{"id":"kb-001","title":"Refund policy","text":"Customers may return any item within 30 days of delivery for a full refund. Refunds go back to the original means of payment within three to five working days."}]}`, `{"results":[{"id":"kb-006","title":"Damaged on arrival","text":"Ask for two photographs. Offer a replacement first, a refund second."}]}`}, 160, "index is being rebuilt"},
			{"issue_refund", "Refund an order.", `{"order_id":"{n}","amount":129.5,"reason":"returned by customer"}`, []string{`{"refund_id":"rf-{n}","arrives_in_days":3}`}, 240, "a refund above the limit needs a person's approval"},
		},
		answers: []string{"I refunded 129.50 EUR for your {s} (order {n}). It arrives within three to five working days.", "Order {n} is outside the 30 days of the refund policy, but the warranty covers your {s}. Shall I open a claim?", "This refund needs a colleague's approval. I have handed order {n} over with a summary."},
	},
	"triage": {
		task: "triage", mode: "interactive", turns: 2,
		system:   "You sort incoming requests: decide the subject, the urgency and who should take it. Answer only what is certain; hand everything else to the right agent or person with one sentence of summary.",
		prompts:  []string{"My {s} makes a noise and I am not amused.", "Who can help with {s}? Ticket {n}.", "Urgent: {s} is down since this morning.", "I have been waiting {d} days for an answer about {s}."},
		followUp: []string{"Thank you, please also tell my colleague.", "It is working again."},
		subjects: []string{"billing", "the loading dock", "a broken login", "delivery slots", "the returns portal"},
		tools: []toolText{
			{"find_queue", "Find the queue for a subject.", `{"subject":"{s}"}`, []string{`{"queue":"second-line","waiting":{d},"on_duty":true}`, `{"queue":"first-line","waiting":{d},"on_duty":true}`}, 60, "directory unavailable"},
			{"open_ticket", "Open a ticket.", `{"subject":"{s}","priority":"normal"}`, []string{`{"ticket":"T-{n}","position":{d}}`}, 130, "ticket system: conflict, try again"},
		},
		answers: []string{"I have passed this on as ticket T-{n}; there are {d} before you.", "Second line is on it. You will hear within the hour.", "That is a known problem with {s}; it is being worked on."},
	},
	"writing": {
		task: "writing", mode: "interactive", turns: 3,
		system:   "You write short, friendly and exact texts for the company. Use the facts you are given or can look up; mark what you could not verify. No promises about dates or money without a source.",
		prompts:  []string{"Summarise document {n} about {s} in five sentences.", "Write a reply about {s}, reference {n}.", "Turn the notes of case {n} into a text for the customer.", "Draft a reminder about {s}."},
		followUp: []string{"Shorter, please.", "Add the reference number.", "Make the second paragraph friendlier."},
		subjects: []string{"the service contract", "an overdue invoice", "a delayed delivery", "the customs declaration", "last night's outage"},
		tools: []toolText{
			{"read_document", "Read a document.", `{"id":"{n}"}`, []string{`{"id":"{n}","pages":{d},"text":"Both parties agree that {s} is governed by the general terms of the second of March. The fee is due within 14 days of the invoice. Either party may end the agreement with three months' notice to the end of a quarter. Service hours are working days from eight to eighteen."}`}, 210, "document store: permission denied"},
			{"check_style", "Check a text against the style guide.", `{"length":"short"}`, []string{`{"issues":{d},"suggestion":"avoid passive voice"}`, `{"issues":0}`}, 80, "style service: timeout"},
		},
		answers: []string{"Here is the text about {s}, reference {n}. I could not verify the date in the second paragraph, so I left it out.", "Document {n}: the fee is due within 14 days, notice is three months, and {s} is governed by the general terms. Nothing in it is unusual.", "Done: five sentences, with the reference {n} in the first."},
	},
	"research": {
		task: "question", mode: "interactive", turns: 5,
		system:   "You are a research assistant. Search, read the most promising sources, then answer in a short paragraph. Every statement names its source. Say what you could not find and how sure you are.",
		prompts:  []string{"What is known about {s}?", "Compare the last {d} reports on {s}.", "Find three sources on {s} and say where they disagree.", "Is there news about {s} since report {n}?"},
		followUp: []string{"Which source is the newest?", "How sure are you?", "Put that into two sentences."},
		subjects: []string{"prompt caching", "returns in spring", "carrier reliability", "retrieval quality", "export rules for batteries"},
		tools: []toolText{
			{"search_articles", "Search documents.", `{"query":"{s}"}`, []string{`{"results":[{"id":"doc-{n}","title":"On {s}","score":0.8{d}},{"id":"doc-9{d}","title":"{s}: a review","score":0.7{d}}]}`, `{"results":[]}`}, 280, "search backend: 429 too many requests"},
			{"read_article", "Read a document.", `{"id":"doc-{n}"}`, []string{`{"id":"doc-{n}","text":"Teams that measure {s} weekly find regressions about two weeks earlier than teams that do not. The effect is larger for small teams. The authors warn that {d} of their series are short and that intervals overlap. An earlier report found no difference, but used another definition."}`}, 350, "page is no longer there"},
		},
		answers: []string{"Measuring {s} weekly finds regressions about two weeks earlier (doc-{n}). One earlier report found no difference but used another definition. I am fairly sure.", "I found {d} sources on {s}; they agree on the direction and differ in size (doc-{n}).", "There is nothing newer than report {n} on {s}. I would not answer from memory."},
	},
	"query": {
		task: "figures", mode: "interactive", turns: 4,
		system:   "You are a data analyst. Answer with figures from queries only, and state the query behind each. Look at the definition of a measure before you report it. Point out small samples.",
		prompts:  []string{"How did {s} develop over the last {d} weeks?", "Which region leads in {s}?", "Why did {s} fall on day {n}?", "Give me {s} by category."},
		followUp: []string{"As a share, please.", "Without staging data.", "And the median?"},
		subjects: []string{"revenue", "returns", "the conversion rate", "stock days", "open invoices"},
		tools: []toolText{
			{"search_articles", "Search the knowledge base for a definition.", `{"query":"{s} definition"}`, []string{`{"results":[{"id":"def-{n}","title":"How {s} is counted","score":0.9{d}}]}`}, 70, "catalog: not found"},
			{"run_query", "Run a query.", `{"sql":"select region, sum(value) from facts_{d} group by region order by 2 desc limit 5"}`, []string{`{"rows":[["north",{n}],["south",8{d}41],["west",77{d}],["east",{d}09]],"took_ms":{n}}`, `{"rows":[["standard",{n}],["premium",{d}4{d}]],"took_ms":{n}}`}, 900, "warehouse: query cancelled after 30 s"},
		},
		answers: []string{"{s} by region: north leads with {n}, then south. The query groups facts_{d} by region.", "{s} fell because two large orders of the week before were not repeated; without them it is flat. The sample is small ({d} days).", "Over {d} weeks {s} rose by {d} per cent. Staging data is left out."},
	},
	"checking": {
		task: "check", mode: "autonomous", turns: 4,
		system:   "You check changes and records against rules. Report each finding with the rule, the place and a severity. Do not fix anything yourself. No finding is a good answer.",
		prompts:  []string{"Check change {n} of {s}.", "Review record {n}: {s}.", "Check today's {d} entries about {s}."},
		followUp: []string{"Check again after the fix."},
		subjects: []string{"the pricing service", "travel expenses", "table orders_daily", "a dependency update", "photos of a parcel"},
		tools: []toolText{
			{"read_change", "Read a change.", `{"id":"{n}"}`, []string{`{"id":"{n}","files":{d},"added":{n},"removed":1{d},"summary":"touches {s}; moves the limit from configuration into code"}`}, 150, "repository is locked"},
			{"run_rule", "Run a rule set.", `{"rules":"standard"}`, []string{`{"passed":3{d},"failed":0}`, `{"passed":3{d},"failed":1,"rule":"limits belong into configuration","severity":"medium"}`}, 520, "rule engine: out of memory"},
		},
		answers: []string{"No finding in change {n}: all 3{d} rules passed.", "One finding of medium severity in {s}: limits belong into configuration (change {n}).", "{d} entries checked, none against the rules."},
	},
	"coding": {
		task: "labelling", mode: "asynchronous", turns: 3,
		system:   "You label records with the categories of the handbook. Use exactly one category. If two fit, take the narrower. If none fits, answer with 'other' and say why.",
		prompts:  []string{"Label batch {n}: {d} records about {s}.", "Label record {n} ({s}).", "Write tests for {s}, module {n}."},
		followUp: []string{"Repeat with the new handbook."},
		subjects: []string{"delivery complaints", "columns of a table", "survey answers", "the date parser", "product reviews"},
		tools: []toolText{
			{"read_batch", "Read a batch of records.", `{"batch":"{n}"}`, []string{`{"batch":"{n}","records":["too late again","box was open","friendly driver","could not find {s}"],"count":{d}}`}, 110, "batch is empty"},
			{"write_labels", "Write labels.", `{"batch":"{n}","labels":["late","damaged","praise","other"]}`, []string{`{"written":{d}}`}, 95, "label store: version conflict"},
		},
		answers: []string{"Batch {n}: {d} records labelled, one of them 'other' because no category fits.", "Done. {s} mostly falls under 'late'.", "{d} written; two were ambiguous and got the narrower label."},
	},
	"matching": {
		task: "matching", mode: "autonomous", turns: 4,
		system:   "You match records from two systems. A match needs the same amount and a date within five days, or the same reference. Report what does not match. Never change a booking.",
		prompts:  []string{"Match invoice {n}.", "Match the {d} open items of supplier {n}.", "Plan tour {n} with {d} stops.", "Match bank line {n} about {s}."},
		followUp: []string{"Try the neighbouring month too."},
		subjects: []string{"office supplies", "freight", "a credit note", "energy", "packaging"},
		tools: []toolText{
			{"find_invoice", "Find invoices.", `{"reference":"{n}"}`, []string{`{"invoices":[{"id":"inv-{n}","amount":4{d}9.2,"currency":"EUR","supplier":"supplier-{d}","due_in_days":{d}}]}`}, 180, "ledger: read timeout"},
			{"find_booking", "Find bookings.", `{"amount":4{d}9.2}`, []string{`{"bookings":[{"id":"bk-{n}","amount":4{d}9.2,"text":"{s}"}]}`, `{"bookings":[]}`}, 260, "ledger: read timeout"},
			{"propose_match", "Propose a match for a person to confirm.", `{"invoice":"inv-{n}","booking":"bk-{n}"}`, []string{`{"proposal":"pr-{n}","confidence":0.9{d}}`}, 120, "proposal exists already"},
		},
		answers: []string{"Invoice inv-{n} matches booking bk-{n} (same amount, {d} days apart). Proposed for confirmation.", "No booking matches invoice {n}; the nearest differs by {d} EUR.", "{d} of the open items match; the others wait for {s}."},
	},
	"returns": {
		task: "returns", mode: "asynchronous", turns: 6,
		system:   "You check open returns at night. List them, look every order up, flag those that need a person and say why. Finish with a summary of how many were checked and flagged.",
		prompts:  []string{"Check up to {d} open returns of today.", "Check the returns of dock {d}."},
		followUp: []string{"Continue with the rest."},
		subjects: []string{"furniture", "audio", "kitchen machines"},
		tools: []toolText{
			{"list_open_returns", "List open returns.", `{"limit":{d}}`, []string{`{"orders":[{"order_id":"{n}","product":"{s}","total":449},{"order_id":"11{d}7","product":"{s}","total":89}]}`}, 140, "orders database: statement timeout after 1500 ms"},
			{"lookup_order", "Look up an order.", `{"order_id":"{n}"}`, []string{`{"order_id":"{n}","product":"{s}","total":449,"status":"returned","days_since_delivery":{d}}`}, 90, "orders database: statement timeout after 1500 ms"},
			{"flag_order", "Leave a note for a person.", `{"order_id":"{n}","note":"refund needs a person"}`, []string{`{"order_id":"{n}","flagged":true}`}, 60, "orders database: row is locked"},
		},
		answers: []string{"Checked {d} open returns, flagged one ({s}, order {n}) that needs a person.", "Checked {d} open returns, nothing unusual.", "Checked {d} returns; two are older than 30 days and flagged."},
	},
}
