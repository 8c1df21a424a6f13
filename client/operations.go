// Code generated from internal/api's table of operations; DO NOT EDIT.

package client

import "context"

// Operations lists every operation of the API.
func Operations() []Operation {
	return []Operation{
		{Name: "ListObjectives", Method: "GET", Path: "/api/v1/objectives", Role: "viewer", Summary: "lists objectives with what is left of their budgets"},
		{Name: "GetObjective", Method: "GET", Path: "/api/v1/objectives/{name}", Role: "viewer", Summary: "reads an objective with how it stands"},
		{Name: "GetObjectiveStatus", Method: "GET", Path: "/api/v1/objectives/{name}/status", Role: "viewer", Summary: "gives an objective over its window, and what spent its budget"},
		{Name: "PutObjective", Method: "PUT", Path: "/api/v1/objectives/{name}", Role: "developer or responder", Summary: "makes or changes an objective; dry_run only says what is wrong and what warns"},
		{Name: "DeleteObjective", Method: "DELETE", Path: "/api/v1/objectives/{name}", Role: "developer or responder", Summary: "drops an objective; what a response policy did for it stays until a person takes it back"},
		{Name: "ListObjectiveProposals", Method: "GET", Path: "/api/v1/objective-proposals", Role: "viewer", Summary: "lists lasting changes of autonomy that objectives speak for, the newest first"},
		{Name: "AcceptObjectiveProposal", Method: "POST", Path: "/api/v1/objective-proposals/{id}/accept", Role: "developer or responder or security", Summary: "changes the agent's autonomy as proposed, with one's own rights"},
		{Name: "DeclineObjectiveProposal", Method: "POST", Path: "/api/v1/objective-proposals/{id}/decline", Role: "developer or responder or security", Summary: "leaves the agent's autonomy as it is"},
		{Name: "ListIncidents", Method: "GET", Path: "/api/v1/incidents", Role: "viewer", Summary: "lists incidents: live ones by the people they touch, then the newest first"},
		{Name: "OpenIncident", Method: "POST", Path: "/api/v1/incidents", Role: "responder", Summary: "opens an incident by hand"},
		{Name: "GetIncident", Method: "GET", Path: "/api/v1/incidents/{id}", Role: "viewer", Summary: "reads an incident with its timeline, its signals and why each is there"},
		{Name: "UpdateIncident", Method: "PATCH", Path: "/api/v1/incidents/{id}", Role: "responder", Summary: "changes title, severity, kind, owner and roles of an incident"},
		{Name: "AcknowledgeIncident", Method: "POST", Path: "/api/v1/incidents/{id}/acknowledge", Role: "responder", Summary: "says that somebody looks at it: paging ends"},
		{Name: "MitigateIncident", Method: "POST", Path: "/api/v1/incidents/{id}/mitigate", Role: "responder", Summary: "says that people are safe from it"},
		{Name: "ResolveIncident", Method: "POST", Path: "/api/v1/incidents/{id}/resolve", Role: "responder", Summary: "ends an incident"},
		{Name: "ReopenIncident", Method: "POST", Path: "/api/v1/incidents/{id}/reopen", Role: "responder", Summary: "takes back that it was mitigated or resolved"},
		{Name: "NoteIncident", Method: "POST", Path: "/api/v1/incidents/{id}/notes", Role: "responder", Summary: "adds a person's words to the timeline"},
		{Name: "IncidentTimeline", Method: "GET", Path: "/api/v1/incidents/{id}/timeline", Role: "viewer", Summary: "lists the sentences of an incident, each with its evidence"},
		{Name: "MergeIncident", Method: "POST", Path: "/api/v1/incidents/{id}/merge", Role: "responder", Summary: "makes an incident part of another; it can be taken back"},
		{Name: "SplitIncident", Method: "POST", Path: "/api/v1/incidents/{id}/split", Role: "responder", Summary: "takes signals out into an incident of their own; it can be taken back"},
		{Name: "JudgeIncidentSignal", Method: "POST", Path: "/api/v1/incidents/{id}/judge", Role: "responder", Summary: "says whether a signal belongs to an incident, which moves the weights"},
		{Name: "UndoIncidentMove", Method: "POST", Path: "/api/v1/incident-moves/{id}/undo", Role: "responder", Summary: "takes a merge or split back, and what it had taught"},
		{Name: "GetIncidentWeights", Method: "GET", Path: "/api/v1/incident-weights", Role: "viewer", Summary: "reads by which weights signals are joined, and what people's verdicts changed"},
		{Name: "RevertIncidentWeights", Method: "POST", Path: "/api/v1/incident-weights/revert", Role: "responder", Summary: "takes what one verdict changed of the weights back"},
		{Name: "ListIncidentOffers", Method: "GET", Path: "/api/v1/incidents/{id}/offers", Role: "viewer", Summary: "lists what can be done about an incident"},
		{Name: "PreviewIncidentAct", Method: "POST", Path: "/api/v1/incidents/{id}/preview", Role: "responder", Summary: "tells what an act would come to, without doing it"},
		{Name: "ActOnIncident", Method: "POST", Path: "/api/v1/incidents/{id}/acts", Role: "responder", Summary: "does something about an incident: contain, stop, lower a budget, pin, switch, take a source out, tell the affected, for which a second person agrees"},
		{Name: "UndoIncidentAct", Method: "POST", Path: "/api/v1/incident-acts/{id}/undo", Role: "responder", Summary: "takes back what was done about an incident"},
		{Name: "ListIncidentRecords", Method: "GET", Path: "/api/v1/incidents/{id}/records", Role: "viewer", Summary: "lists what runs of an incident's agents changed since it began"},
		{Name: "AddIncidentTask", Method: "POST", Path: "/api/v1/incidents/{id}/tasks", Role: "responder", Summary: "adds an action with owner and date, a compensation or a step"},
		{Name: "ChangeIncidentTask", Method: "POST", Path: "/api/v1/incident-tasks/{id}", Role: "viewer", Summary: "changes a task, agrees to a compensation, or says that it is done"},
		{Name: "ListIncidentActions", Method: "GET", Path: "/api/v1/incident-actions", Role: "viewer", Summary: "lists what is to be done after incidents, the first due first"},
		{Name: "GetIncidentReview", Method: "GET", Path: "/api/v1/incidents/{id}/review", Role: "viewer", Summary: "reads the review of an incident, or drafts it from the timeline"},
		{Name: "SaveIncidentReview", Method: "PUT", Path: "/api/v1/incidents/{id}/review", Role: "responder", Summary: "stores the review of an incident; done ends it as reviewed"},
		{Name: "ListSilences", Method: "GET", Path: "/api/v1/silences", Role: "viewer", Summary: "lists silences and maintenance windows"},
		{Name: "CreateSilence", Method: "POST", Path: "/api/v1/silences", Role: "responder", Summary: "keeps matching signals from making incidents until a time"},
		{Name: "EndSilence", Method: "POST", Path: "/api/v1/silences/{id}/end", Role: "responder", Summary: "ends a silence: what still fires is taken in"},
		{Name: "ListChannelKinds", Method: "GET", Path: "/api/v1/channel-kinds", Role: "viewer", Summary: "lists the kinds of channels"},
		{Name: "ListChannels", Method: "GET", Path: "/api/v1/channels", Role: "viewer", Summary: "lists the ways to tell people, never their secrets"},
		{Name: "PutChannel", Method: "PUT", Path: "/api/v1/channels/{name}", Role: "responder or security", Summary: "makes or changes a channel; one that leads elsewhere needs its secret anew"},
		{Name: "RemoveChannel", Method: "DELETE", Path: "/api/v1/channels/{name}", Role: "responder or security", Summary: "ends a channel"},
		{Name: "TryChannel", Method: "POST", Path: "/api/v1/channels/{name}/try", Role: "responder or security", Summary: "sends a test message and tells what came of it"},
		{Name: "ListChannelStates", Method: "GET", Path: "/api/v1/channels/{name}/states", Role: "viewer", Summary: "lists what a channel's receiver told of what it was sent, and what became of it"},
		{Name: "ListDeliveries", Method: "GET", Path: "/api/v1/deliveries", Role: "viewer", Summary: "lists what was sent, with each answer, the newest first"},
		{Name: "ListSchedules", Method: "GET", Path: "/api/v1/on-call", Role: "viewer", Summary: "lists who is on call now and next"},
		{Name: "GetSchedule", Method: "GET", Path: "/api/v1/on-call/{name}", Role: "viewer", Summary: "reads a schedule with its shifts of the next days"},
		{Name: "PutSchedule", Method: "PUT", Path: "/api/v1/on-call/{name}", Role: "responder or security", Summary: "makes or changes a schedule: rotations, zone"},
		{Name: "DeleteSchedule", Method: "DELETE", Path: "/api/v1/on-call/{name}", Role: "responder or security", Summary: "ends a schedule that no policy calls"},
		{Name: "OverrideOnCall", Method: "POST", Path: "/api/v1/on-call/{name}/overrides", Role: "viewer", Summary: "puts somebody on call for a time; oneself always"},
		{Name: "EndOverride", Method: "DELETE", Path: "/api/v1/on-call/{name}/overrides/{id}", Role: "viewer", Summary: "takes an override away"},
		{Name: "ListEscalationPolicies", Method: "GET", Path: "/api/v1/escalation-policies", Role: "viewer", Summary: "lists who is called, and who next"},
		{Name: "PutEscalationPolicy", Method: "PUT", Path: "/api/v1/escalation-policies/{name}", Role: "responder or security", Summary: "makes or changes an escalation policy"},
		{Name: "DeleteEscalationPolicy", Method: "DELETE", Path: "/api/v1/escalation-policies/{name}", Role: "responder or security", Summary: "ends an escalation policy"},
		{Name: "ListPages", Method: "GET", Path: "/api/v1/pages", Role: "viewer", Summary: "lists whom Reeve called about what, and whether it arrived"},
		{Name: "GetContacts", Method: "GET", Path: "/api/v1/contacts/{person}", Role: "signed_in", Summary: "tells how one is reached; me is oneself"},
		{Name: "PutContacts", Method: "PUT", Path: "/api/v1/contacts/{person}", Role: "signed_in", Summary: "says how one is reached"},
		{Name: "LinkChat", Method: "POST", Path: "/api/v1/chat-links", Role: "signed_in", Summary: "says that an account in a chat is one's own, by the token that the chat was given"},
		{Name: "ListLessons", Method: "GET", Path: "/api/v1/lessons", Role: "viewer", Summary: "lists what was learned of incidents"},
		{Name: "CreateLesson", Method: "POST", Path: "/api/v1/lessons", Role: "responder or developer", Summary: "makes a lesson that agents fetch at the door"},
		{Name: "GetLesson", Method: "GET", Path: "/api/v1/lessons/{id}", Role: "viewer", Summary: "reads a lesson with who read it and what came of its measure"},
		{Name: "UpdateLesson", Method: "PUT", Path: "/api/v1/lessons/{id}", Role: "responder or developer", Summary: "changes a lesson, or lets it hold again"},
		{Name: "RevokeLesson", Method: "POST", Path: "/api/v1/lessons/{id}/revoke", Role: "responder or developer", Summary: "takes a lesson back: no agent is given it any more"},
		{Name: "ListCanaries", Method: "GET", Path: "/api/v1/canaries", Role: "viewer", Summary: "lists the models that are asked fixed prompts, and what changed of their answers"},
		{Name: "GetCanary", Method: "GET", Path: "/api/v1/canaries/{name}", Role: "viewer", Summary: "reads a canary with its newest answers"},
		{Name: "PutCanary", Method: "PUT", Path: "/api/v1/canaries/{name}", Role: "developer or responder or security", Summary: "makes or changes a canary: a model that is asked fixed prompts through the door"},
		{Name: "AcceptCanary", Method: "POST", Path: "/api/v1/canaries/{name}/accept", Role: "developer or responder or security", Summary: "says that what answers now is the new normal"},
		{Name: "AskCanary", Method: "POST", Path: "/api/v1/canaries/{name}/ask", Role: "developer or responder or security", Summary: "asks a canary's prompts now, before they are due"},
		{Name: "DeleteCanary", Method: "DELETE", Path: "/api/v1/canaries/{name}", Role: "developer or responder or security", Summary: "drops a canary and its answers"},
		{Name: "ListRunbooks", Method: "GET", Path: "/api/v1/runbooks", Role: "viewer", Summary: "lists what is done about incidents, step by step"},
		{Name: "PutRunbook", Method: "PUT", Path: "/api/v1/runbooks/{name}", Role: "responder", Summary: "makes or changes a runbook"},
		{Name: "DeleteRunbook", Method: "DELETE", Path: "/api/v1/runbooks/{name}", Role: "responder", Summary: "ends a runbook; its runs stay"},
		{Name: "TryRunbook", Method: "POST", Path: "/api/v1/incidents/{id}/runbook-trials", Role: "responder", Summary: "says what a runbook would do to an incident, without doing it"},
		{Name: "ListRunbookRuns", Method: "GET", Path: "/api/v1/incidents/{id}/runbook-runs", Role: "viewer", Summary: "lists the runbooks that were run on an incident"},
		{Name: "ListWaitingRunbookRuns", Method: "GET", Path: "/api/v1/runbook-runs", Role: "viewer", Summary: "lists the runs of runbooks that wait for the asker's agreement"},
		{Name: "StartRunbook", Method: "POST", Path: "/api/v1/incidents/{id}/runbook-runs", Role: "responder", Summary: "begins a runbook on an incident, or proposes it to a second person"},
		{Name: "ApproveRunbook", Method: "POST", Path: "/api/v1/runbook-runs/{id}/approve", Role: "responder", Summary: "agrees to a runbook that somebody else proposed"},
		{Name: "StepRunbook", Method: "POST", Path: "/api/v1/runbook-runs/{id}/step", Role: "responder", Summary: "does the next step of a runbook"},
		{Name: "RollBackRunbook", Method: "POST", Path: "/api/v1/runbook-runs/{id}/roll-back", Role: "responder", Summary: "takes back what a runbook did, the last first"},
		{Name: "GetIncidentReviewPDF", Method: "GET", Path: "/api/v1/incidents/{id}/review-pdf", Role: "viewer", Summary: "gives the review of an incident as a PDF"},
		{Name: "SplitCost", Method: "GET", Path: "/api/v1/cost/split", Role: "viewer", Summary: "adds up what was spent by call, run, session, user, team, agent, version, task, outcome, model, provider, environment, cost centre, day or month"},
		{Name: "ForecastCost", Method: "GET", Path: "/api/v1/cost/forecast", Role: "viewer", Summary: "says what the month will come to, with interval, beside budgets and findings about cost"},
		{Name: "Dependency", Method: "GET", Path: "/api/v1/cost/dependency", Role: "viewer", Summary: "says what hangs on each provider, model and region, and what an outage would reach"},
		{Name: "Savings", Method: "GET", Path: "/api/v1/cost/savings", Role: "viewer", Summary: "lists what could have been saved, with figure and the runs that prove it"},
		{Name: "ListIdleAgents", Method: "GET", Path: "/api/v1/cost/idle-agents", Role: "viewer", Summary: "lists agents that nobody used"},
		{Name: "CostFile", Method: "GET", Path: "/api/v1/cost/file", Role: "viewer", Summary: "writes a month as a chargeback file or as FOCUS 1.2 (CSV)"},
		{Name: "CostReport", Method: "GET", Path: "/api/v1/cost/report", Role: "viewer", Summary: "writes the report of a month, as Markdown and PDF"},
		{Name: "GetCostSettings", Method: "GET", Path: "/api/v1/cost/settings", Role: "viewer", Summary: "reads currency, rates, zone, cost centres and what people's time costs"},
		{Name: "SendCostReport", Method: "POST", Path: "/api/v1/cost/report/send", Role: "admin", Summary: "mails a month's report now, with its PDF, to those whom the settings name"},
		{Name: "PutCostSettings", Method: "PUT", Path: "/api/v1/cost/settings", Role: "admin", Summary: "sets currency, rates, zone, cost centres and what people's time costs"},
		{Name: "GetReadiness", Method: "GET", Path: "/api/v1/readiness", Role: "viewer", Summary: "says how far what agents read can be relied on: freshness, update frequency, errors, audits, coverage of what is asked"},
		{Name: "ListUnanswered", Method: "GET", Path: "/api/v1/unanswered-questions", Role: "viewer", Summary: "lists what was asked and not answered, the newest first, each with its run; the words are for who may read content"},
		{Name: "ListSourceAudits", Method: "GET", Path: "/api/v1/sources/{name}/audits", Role: "viewer", Summary: "lists audits of a source, the newest first"},
		{Name: "AuditSource", Method: "POST", Path: "/api/v1/sources/{name}/audits", Role: "developer", Summary: "holds answers from a source against the truth"},
		{Name: "GetAuditPlan", Method: "GET", Path: "/api/v1/sources/{name}/audit-plan", Role: "viewer", Summary: "reads how a source is audited by itself, by asking an agent"},
		{Name: "PutAuditPlan", Method: "PUT", Path: "/api/v1/sources/{name}/audit-plan", Role: "developer", Summary: "has an agent asked sampled questions at times, as tests, and its answers held against the truth"},
		{Name: "AskAuditPlan", Method: "POST", Path: "/api/v1/sources/{name}/audit-plan/now", Role: "developer", Summary: "has the audit plan of a source ask now"},
		{Name: "DeleteAuditPlan", Method: "DELETE", Path: "/api/v1/sources/{name}/audit-plan", Role: "developer", Summary: "ends the audit plan of a source; its audits stay"},
		{Name: "Different", Method: "POST", Path: "/api/v1/runs/different", Role: "viewer", Summary: "says what sets a selection of runs apart from the rest"},
		{Name: "ListSuspects", Method: "GET", Path: "/api/v1/runs/{id}/suspects", Role: "reader", Summary: "ranks the steps at which a run may have gone wrong first"},
		{Name: "JudgeSuspects", Method: "POST", Path: "/api/v1/runs/{id}/suspects/judge", Role: "developer or responder", Summary: "names the step at which a run went wrong, from which the order of suspects learns, or takes that back"},
		{Name: "ListSuspectVerdicts", Method: "GET", Path: "/api/v1/suspect-verdicts", Role: "reader", Summary: "lists the steps that people named, and what the order of suspects learned of them by team"},
		{Name: "ListProbablyFailed", Method: "GET", Path: "/api/v1/probably-failed", Role: "reader", Summary: "lists runs of an agent that nobody judged by how likely each has failed, learned from its judged ones"},
		{Name: "GetRunWhy", Method: "GET", Path: "/api/v1/runs/{id}/why", Role: "viewer", Summary: "says why a run ended as it did: likely causes with their evidence, and what is unknown; format=prov exports it as W3C PROV-JSON"},
		{Name: "GetIncidentWhy", Method: "GET", Path: "/api/v1/incidents/{id}/why", Role: "viewer", Summary: "says why an incident came about, by its runs and by what its agents stand on"},
		{Name: "GetMap", Method: "GET", Path: "/api/v1/map", Role: "viewer", Summary: "tells who depends on what: agents, tools, models, servers and sources, as they were observed"},
		{Name: "GetBlast", Method: "GET", Path: "/api/v1/map/blast", Role: "viewer", Summary: "tells what a node of the map would take down: agents, runs, users, cost, and what is open there"},
		{Name: "ListBackups", Method: "GET", Path: "/api/v1/backups", Role: "viewer", Summary: "lists backups, the newest first, and when a restore was last tried"},
		{Name: "MakeBackup", Method: "POST", Path: "/api/v1/backups", Role: "admin", Summary: "makes a backup of everything into the folder of backups"},
		{Name: "TryBackup", Method: "POST", Path: "/api/v1/backups/{id}/try", Role: "admin", Summary: "restores a backup on trial and checks its records; nothing of it stays"},
		{Name: "DownloadBackup", Method: "POST", Path: "/api/v1/backup-file", Role: "admin", Summary: "makes a backup and sends it as one tar file"},
		{Name: "GetRetention", Method: "GET", Path: "/api/v1/retention", Role: "viewer", Summary: "tells how long telemetry is kept, by environment, team and kind"},
		{Name: "PreviewRetention", Method: "POST", Path: "/api/v1/retention/preview", Role: "admin", Summary: "counts what a rule of retention would drop; nothing changes"},
		{Name: "PutRetention", Method: "PUT", Path: "/api/v1/retention", Role: "admin", Summary: "says how long something is kept; what is older goes within the hour, for good"},
		{Name: "DeleteRetention", Method: "DELETE", Path: "/api/v1/retention", Role: "admin", Summary: "drops a rule of retention; the less specific one holds again"},
		{Name: "ListErasures", Method: "GET", Path: "/api/v1/erasures", Role: "admin", Summary: "lists the receipts of erasures, the newest first"},
		{Name: "ErasePerson", Method: "POST", Path: "/api/v1/erasures", Role: "admin", Summary: "erases what every part holds of a user of agents, of a session or of a run, or with dry_run tells what that is"},
		{Name: "ListConnections", Method: "GET", Path: "/api/v1/connections", Role: "viewer", Summary: "lists the other systems that Reeve speaks to, and whether each works, those that fail first"},
		{Name: "ListComplianceFrameworks", Method: "GET", Path: "/api/v1/compliance-frameworks", Role: "auditor", Summary: "lists mappings of controls to evidence, with what they came to last"},
		{Name: "GetComplianceFramework", Method: "GET", Path: "/api/v1/compliance-frameworks/{id}", Role: "auditor", Summary: "reads a mapping"},
		{Name: "PutComplianceFramework", Method: "PUT", Path: "/api/v1/compliance-frameworks/{id}", Role: "security", Summary: "makes a mapping of one's own, or changes it"},
		{Name: "DeleteComplianceFramework", Method: "DELETE", Path: "/api/v1/compliance-frameworks/{id}", Role: "security", Summary: "removes a mapping of one's own; assessments stay"},
		{Name: "AssessCompliance", Method: "POST", Path: "/api/v1/compliance-frameworks/{id}/assess", Role: "auditor", Summary: "asks all questions of a framework over a period and keeps what they came to"},
		{Name: "PutComplianceSchedule", Method: "PUT", Path: "/api/v1/compliance-frameworks/{id}/schedule", Role: "auditor", Summary: "has a framework assessed by itself every so many days; 0 ends it"},
		{Name: "ListComplianceAssessments", Method: "GET", Path: "/api/v1/compliance-assessments", Role: "auditor", Summary: "lists assessments, the newest first"},
		{Name: "GetComplianceAssessment", Method: "GET", Path: "/api/v1/compliance-assessments/{id}", Role: "auditor", Summary: "reads an assessment with its controls and their evidence"},
		{Name: "ExportCompliance", Method: "GET", Path: "/api/v1/compliance-assessments/{id}/pack", Role: "auditor", Summary: "gives the evidence of an assessment as a zip whose manifest the audit log's keys sign"},
		{Name: "ListRuns", Method: "GET", Path: "/api/v1/runs", Role: "viewer", Summary: "lists runs, the newest first, those still running included"},
		{Name: "GetRun", Method: "GET", Path: "/api/v1/runs/{id}", Role: "viewer", Summary: "reads a run"},
		{Name: "ListSteps", Method: "GET", Path: "/api/v1/runs/{id}/steps", Role: "viewer", Summary: "lists the steps of a run by start time, light or with content"},
		{Name: "GetStep", Method: "GET", Path: "/api/v1/runs/{id}/steps/{step}", Role: "viewer", Summary: "reads a step with its attributes and, for readers, its content"},
		{Name: "ListMessages", Method: "GET", Path: "/api/v1/runs/{id}/messages", Role: "reader", Summary: "lists the distinct messages of a run in the order they first appeared"},
		{Name: "ListRunLogs", Method: "GET", Path: "/api/v1/runs/{id}/logs", Role: "viewer", Summary: "lists the log records of a run, or those of its agent around it that name no run, the newest first"},
		{Name: "ListRunMetrics", Method: "GET", Path: "/api/v1/runs/{id}/metrics", Role: "viewer", Summary: "lists the metric points of a run's agent around the run"},
		{Name: "ListSessions", Method: "GET", Path: "/api/v1/sessions", Role: "viewer", Summary: "lists sessions, the last active first"},
		{Name: "ListLogs", Method: "GET", Path: "/api/v1/logs", Role: "viewer", Summary: "lists log records, the newest first"},
		{Name: "ListMetricPoints", Method: "GET", Path: "/api/v1/metric-points", Role: "viewer", Summary: "lists metric points, the newest first"},
		{Name: "GetSteering", Method: "GET", Path: "/api/v1/runs/{id}/steering", Role: "reader or responder", Summary: "reads what people do about a run while it goes on: who holds it, what they said"},
		{Name: "HoldRun", Method: "POST", Path: "/api/v1/runs/{id}/hold", Role: "responder", Summary: "makes each further call of a run wait for a person"},
		{Name: "ReleaseRun", Method: "POST", Path: "/api/v1/runs/{id}/release", Role: "responder", Summary: "lets a held run go on"},
		{Name: "TellRun", Method: "POST", Path: "/api/v1/runs/{id}/notes", Role: "responder", Summary: "says something to a run's model, with its next call or with each"},
		{Name: "WithdrawRunNote", Method: "DELETE", Path: "/api/v1/runs/{id}/notes/{note}", Role: "responder", Summary: "ends a note that may still be told"},
		{Name: "ListRunDecisions", Method: "GET", Path: "/api/v1/runs/{id}/decisions", Role: "viewer", Summary: "lists the decisions of a run, the newest first, pending ones included"},
		{Name: "ReplayRun", Method: "POST", Path: "/api/v1/runs/{id}/replay", Role: "developer", Summary: "puts a recorded model step to another model or prompt; calls of tools are those of the recording, and the first other one ends it"},
		{Name: "ListDecisions", Method: "GET", Path: "/api/v1/decisions", Role: "viewer", Summary: "lists decisions, the newest first, pending ones included"},
		{Name: "EraseUser", Method: "POST", Path: "/api/v1/decisions/erase", Role: "admin", Summary: "erases a user's name and the content of decisions made for them; the records stay"},
		{Name: "DecisionReceipt", Method: "GET", Path: "/api/v1/decisions/{id}/receipt", Role: "viewer", Summary: "proves a decision's records to whoever has the public key"},
		{Name: "ListAuditKeys", Method: "GET", Path: "/api/v1/audit/keys", Role: "public", Summary: "lists the public keys that sign checkpoints of the audit log"},
		{Name: "RotateAuditKey", Method: "POST", Path: "/api/v1/audit/keys/rotate", Role: "security", Summary: "makes a new key for checkpoints, vouched for by the old one"},
		{Name: "ListAuditCheckpoints", Method: "GET", Path: "/api/v1/audit/checkpoints", Role: "auditor", Summary: "lists the newest checkpoint of each log"},
		{Name: "ListSIEMTargets", Method: "GET", Path: "/api/v1/siem", Role: "auditor", Summary: "lists where records stream to, and how that goes"},
		{Name: "ListRelays", Method: "GET", Path: "/api/v1/relay", Role: "viewer", Summary: "lists where telemetry is forwarded to, and how that goes"},
		{Name: "GetRelay", Method: "GET", Path: "/api/v1/relay/{name}", Role: "viewer", Summary: "reads a relay destination"},
		{Name: "PutRelay", Method: "PUT", Path: "/api/v1/relay/{name}", Role: "security", Summary: "makes or replaces a relay destination; a new one begins with what arrives from now on"},
		{Name: "DeleteRelay", Method: "DELETE", Path: "/api/v1/relay/{name}", Role: "security", Summary: "forgets a relay destination and what it does not have yet"},
		{Name: "PauseRelay", Method: "POST", Path: "/api/v1/relay/{name}/pause", Role: "security", Summary: "stops forwarding to a destination; what arrives waits as long as the queue has room"},
		{Name: "ResumeRelay", Method: "POST", Path: "/api/v1/relay/{name}/resume", Role: "security", Summary: "goes on forwarding to a destination where it was"},
		{Name: "ListPollers", Method: "GET", Path: "/api/v1/pollers", Role: "viewer", Summary: "lists the systems that are asked for records of agents, and how that goes"},
		{Name: "GetPoller", Method: "GET", Path: "/api/v1/pollers/{name}", Role: "viewer", Summary: "reads a poller"},
		{Name: "PutPoller", Method: "PUT", Path: "/api/v1/pollers/{name}", Role: "security", Summary: "makes or replaces a poller; what was read stays read"},
		{Name: "DeletePoller", Method: "DELETE", Path: "/api/v1/pollers/{name}", Role: "security", Summary: "forgets a poller; its runs stay"},
		{Name: "PausePoller", Method: "POST", Path: "/api/v1/pollers/{name}/pause", Role: "security", Summary: "stops a poller for now"},
		{Name: "ResumePoller", Method: "POST", Path: "/api/v1/pollers/{name}/resume", Role: "security", Summary: "goes on polling where it was"},
		{Name: "PollNow", Method: "POST", Path: "/api/v1/pollers/{name}/poll", Role: "developer", Summary: "wakes a poller before its time"},
		{Name: "TestPoller", Method: "POST", Path: "/api/v1/pollers/{name}/test", Role: "security", Summary: "asks a poller's system for a first page and keeps nothing of it"},
		{Name: "TestRelay", Method: "POST", Path: "/api/v1/relay/{name}/test", Role: "security", Summary: "sends one span of Reeve's own to a destination and says how that went"},
		{Name: "VerifyAudit", Method: "GET", Path: "/api/v1/audit/verify", Role: "auditor", Summary: "walks both logs and says whether they hold"},
		{Name: "Decide", Method: "POST", Path: "/api/v1/decisions", Role: "developer", Summary: "decides and records an action that does not pass the door; who asks acts by the answer"},
		{Name: "AwaitDecision", Method: "GET", Path: "/api/v1/decisions/{id}/answer", Role: "developer", Summary: "tells how a held action stands, or waits for it"},
		{Name: "CompleteDecision", Method: "POST", Path: "/api/v1/decisions/{id}/complete", Role: "developer", Summary: "reports how an action ended that was allowed and did not pass the door"},
		{Name: "ListCoverage", Method: "GET", Path: "/api/v1/coverage", Role: "viewer", Summary: "lists how much of what agents do was decided, the least covered first"},
		{Name: "GetDecision", Method: "GET", Path: "/api/v1/decisions/{id}", Role: "viewer", Summary: "reads a decision and, for readers, the request that was decided"},
		{Name: "Query", Method: "POST", Path: "/api/v1/query", Role: "viewer", Summary: "answers an aggregate question over runs, steps, decisions, messages or logs"},
		{Name: "SearchFields", Method: "GET", Path: "/api/v1/search/fields", Role: "viewer", Summary: "lists the fields of the search language with their known values"},
		{Name: "CompleteSearch", Method: "GET", Path: "/api/v1/search/complete", Role: "viewer", Summary: "proposes how a search could go on"},
		{Name: "ListAgentMarks", Method: "GET", Path: "/api/v1/agent-marks", Role: "viewer", Summary: "answers how each agent stands: objective, behaviour, data, identity and cost, with the reasons"},
		{Name: "OverviewBroken", Method: "GET", Path: "/api/v1/overview/broken", Role: "viewer", Summary: "says of the incidents that need a person what was changed before each, and what its runs cost"},
		{Name: "Overview", Method: "GET", Path: "/api/v1/overview", Role: "viewer", Summary: "answers whether the agents help and what needs a person"},
		{Name: "Events", Method: "GET", Path: "/api/v1/events", Role: "viewer", Summary: "follows what changes, as server-sent events that resume from Last-Event-ID"},
		{Name: "Health", Method: "GET", Path: "/api/v1/health", Role: "signed_in", Summary: "tells how Reeve itself is"},
		{Name: "Notices", Method: "GET", Path: "/api/v1/notices", Role: "public", Summary: "lists what everybody should know, with buttons"},
		{Name: "OpenAPI", Method: "GET", Path: "/api/v1/openapi.json", Role: "public", Summary: "describes this API"},
		{Name: "ListAgents", Method: "GET", Path: "/api/v1/agents", Role: "viewer", Summary: "lists registered agents by name"},
		{Name: "CreateAgent", Method: "POST", Path: "/api/v1/agents", Role: "developer or security", Summary: "registers an agent as draft or pilot"},
		{Name: "GetAgent", Method: "GET", Path: "/api/v1/agents/{name}", Role: "viewer", Summary: "reads a registered agent"},
		{Name: "UpdateAgent", Method: "PATCH", Path: "/api/v1/agents/{name}", Role: "developer or security", Summary: "changes an agent"},
		{Name: "PromoteAgent", Method: "POST", Path: "/api/v1/agents/{name}/promote", Role: "developer or security", Summary: "takes an agent a step along its lifecycle, or back; into production needs security and the gate"},
		{Name: "ContainAgent", Method: "POST", Path: "/api/v1/agents/{name}/contain", Role: "responder or security", Summary: "narrows what an agent may do, until a time or until it is released"},
		{Name: "PinAgent", Method: "POST", Path: "/api/v1/agents/{name}/pin", Role: "responder or developer or security", Summary: "holds an agent to one model in place of another, or to one version"},
		{Name: "UnpinAgent", Method: "POST", Path: "/api/v1/agents/{name}/unpin", Role: "responder or developer or security", Summary: "takes a pin of an agent out"},
		{Name: "ReleaseAgent", Method: "POST", Path: "/api/v1/agents/{name}/release", Role: "security", Summary: "ends a containment; it revives no credential; from quarantine a second person confirms it"},
		{Name: "RetireAgent", Method: "POST", Path: "/api/v1/agents/{name}/retire", Role: "security", Summary: "ends an agent for good, and its keys with it; its name is never used again"},
		{Name: "MergeAgent", Method: "POST", Path: "/api/v1/agents/{name}/merge", Role: "developer or security", Summary: "says that an agent is another registered one, which takes its names and telemetry; its credentials die"},
		{Name: "UnmergeAgent", Method: "POST", Path: "/api/v1/agents/{name}/unmerge", Role: "developer or security", Summary: "takes a merge back; the agent needs new credentials"},
		{Name: "ListAgentKeys", Method: "GET", Path: "/api/v1/agents/{name}/keys", Role: "developer or responder or security or auditor", Summary: "lists the keys of an agent, the newest first"},
		{Name: "CreateAgentKey", Method: "POST", Path: "/api/v1/agents/{name}/keys", Role: "developer or security", Summary: "makes a key of an agent; its text is shown once"},
		{Name: "RevokeAgentKey", Method: "DELETE", Path: "/api/v1/agents/{name}/keys/{id}", Role: "developer or responder or security", Summary: "ends a key of an agent"},
		{Name: "LeakedKey", Method: "POST", Path: "/api/v1/keys/leaked", Role: "public", Summary: "ends a key or token of Reeve by its text, or a list of them as GitHub reports leaked ones to partners: who holds it may; the answer never says whether it lived"},
		{Name: "MatchAgent", Method: "GET", Path: "/api/v1/match-agent", Role: "viewer", Summary: "says which registered agent telemetry would be matched to, and by which rule"},
		{Name: "ListAgentClaims", Method: "GET", Path: "/api/v1/agents/{name}/claims", Role: "viewer", Summary: "lists the names under which an agent's telemetry came, each with the rule that matched it"},
		{Name: "AgentSummary", Method: "GET", Path: "/api/v1/agents/{name}/summary", Role: "viewer", Summary: "answers whether an agent may go on, with what its page shows first"},
		{Name: "AgentTimeline", Method: "GET", Path: "/api/v1/agents/{name}/timeline", Role: "viewer", Summary: "lists what happened to an agent: changes, versions, keys, waivers, the newest first"},
		{Name: "ListAgentRevisions", Method: "GET", Path: "/api/v1/agents/{name}/revisions", Role: "viewer", Summary: "lists what people set of an agent, with author and reason, the newest first"},
		{Name: "ListAgentVersions", Method: "GET", Path: "/api/v1/agents/{name}/versions", Role: "viewer", Summary: "lists what an agent was observed to be made of, the newest first"},
		{Name: "ApproveAgentVersion", Method: "POST", Path: "/api/v1/agents/{name}/versions/{hash}/approve", Role: "developer or security", Summary: "says that a version is what the agent should be"},
		{Name: "AgentInventory", Method: "GET", Path: "/api/v1/agents/{name}/inventory", Role: "viewer", Summary: "lists what an agent was observed to use; format=cyclonedx gives a bill of materials"},
		{Name: "AgentInventoryChanges", Method: "GET", Path: "/api/v1/agents/{name}/inventory/changes", Role: "viewer", Summary: "compares what an agent used in the days up to two dates"},
		{Name: "ApproveAgentPart", Method: "POST", Path: "/api/v1/agents/{name}/inventory/approve", Role: "developer or security", Summary: "says that a part of an agent is known, or no longer"},
		{Name: "GetStandard", Method: "GET", Path: "/api/v1/standard", Role: "viewer", Summary: "reads the standard that agents keep to"},
		{Name: "Conformance", Method: "GET", Path: "/api/v1/standard/conformance", Role: "viewer", Summary: "counts by team how many agents keep to the standard"},
		{Name: "ListWaivers", Method: "GET", Path: "/api/v1/standard/waivers", Role: "viewer", Summary: "lists the waivers that hold, the first to end first"},
		{Name: "WaiveStandard", Method: "POST", Path: "/api/v1/agents/{name}/waivers", Role: "security", Summary: "lets an agent break a rule of the standard until a date"},
		{Name: "EndWaiver", Method: "DELETE", Path: "/api/v1/agents/{name}/waivers/{rule}", Role: "security", Summary: "ends a waiver"},
		{Name: "AdoptAgents", Method: "POST", Path: "/api/v1/agents/adopt", Role: "developer or security", Summary: "registers unknown agents together, in observe"},
		{Name: "ListUnknownAgents", Method: "GET", Path: "/api/v1/unknown-agents", Role: "viewer", Summary: "lists agents that were seen and are not registered, the last seen first"},
		{Name: "GetUnknownAgent", Method: "GET", Path: "/api/v1/unknown-agents/{id}", Role: "viewer", Summary: "reads an unknown agent with its first evidence"},
		{Name: "RegisterUnknownAgent", Method: "POST", Path: "/api/v1/unknown-agents/{id}/register", Role: "developer or security", Summary: "registers an unknown agent as a pilot in observe"},
		{Name: "MergeUnknownAgent", Method: "POST", Path: "/api/v1/unknown-agents/{id}/merge", Role: "developer or security", Summary: "makes an unknown agent a registered one, by an alias"},
		{Name: "BlockUnknownAgent", Method: "POST", Path: "/api/v1/unknown-agents/{id}/block", Role: "responder or security", Summary: "refuses at the door whoever calls itself by an unknown agent's name"},
		{Name: "DismissUnknownAgent", Method: "POST", Path: "/api/v1/unknown-agents/{id}/dismiss", Role: "developer or responder or security", Summary: "takes an unknown agent off the list"},
		{Name: "UndoUnknownAgent", Method: "POST", Path: "/api/v1/unknown-agents/{id}/undo", Role: "developer or responder or security", Summary: "takes back what was decided of an unknown agent"},
		{Name: "ListAgentJWKs", Method: "GET", Path: "/api/v1/agents/{name}/jwks", Role: "developer or responder or security or auditor", Summary: "lists the public keys with which an agent signs client assertions"},
		{Name: "AddAgentJWKs", Method: "POST", Path: "/api/v1/agents/{name}/jwks", Role: "developer or security", Summary: "registers public keys of an agent, as a JWK or a JWK set"},
		{Name: "RemoveAgentJWK", Method: "DELETE", Path: "/api/v1/agents/{name}/jwks/{kid}", Role: "developer or responder or security", Summary: "takes a public key of an agent away"},
		{Name: "GetAgentOAuth", Method: "GET", Path: "/api/v1/agents/{name}/oauth", Role: "viewer", Summary: "tells what an agent may ask of the token endpoint"},
		{Name: "PutAgentOAuth", Method: "PUT", Path: "/api/v1/agents/{name}/oauth", Role: "security", Summary: "says what an agent may ask of the token endpoint"},
		{Name: "ListJoinTokens", Method: "GET", Path: "/api/v1/agents/{name}/join-tokens", Role: "developer or responder or security or auditor", Summary: "lists the join tokens of an agent, never their texts"},
		{Name: "CreateJoinToken", Method: "POST", Path: "/api/v1/agents/{name}/join-tokens", Role: "developer or security", Summary: "makes a token by which one instance of an agent enrols; it is shown once"},
		{Name: "RevokeJoinToken", Method: "DELETE", Path: "/api/v1/agents/{name}/join-tokens/{id}", Role: "developer or responder or security", Summary: "ends an unused join token"},
		{Name: "CreateAgentSVID", Method: "POST", Path: "/api/v1/agents/{name}/svids", Role: "developer or security", Summary: "makes a certificate of a new instance of an agent for a certificate request"},
		{Name: "RevokeCredential", Method: "POST", Path: "/api/v1/agents/{name}/credentials/revoke", Role: "responder or security", Summary: "ends one credential of an agent: a token by its jti, with what was exchanged from it, or a certificate by its serial"},
		{Name: "ListWorkloads", Method: "GET", Path: "/api/v1/agents/{name}/workloads", Role: "developer or responder or security or auditor", Summary: "lists which processes of this host are an agent"},
		{Name: "CreateWorkload", Method: "POST", Path: "/api/v1/agents/{name}/workloads", Role: "developer or security", Summary: "registers processes of this host as an agent"},
		{Name: "DeleteWorkload", Method: "DELETE", Path: "/api/v1/agents/{name}/workloads/{id}", Role: "developer or responder or security", Summary: "ends a workload's registration"},
		{Name: "ListTokenIssuers", Method: "GET", Path: "/api/v1/issuers", Role: "security", Summary: "lists the outside issuers whose tokens are taken"},
		{Name: "PutTokenIssuer", Method: "PUT", Path: "/api/v1/issuers/{name}", Role: "security", Summary: "registers an outside issuer, or replaces a registration"},
		{Name: "DeleteTokenIssuer", Method: "DELETE", Path: "/api/v1/issuers/{name}", Role: "security", Summary: "takes no more tokens of an outside issuer"},
		{Name: "GetAuthority", Method: "GET", Path: "/api/v1/ca", Role: "viewer", Summary: "tells what the certificate authority is, with its roots"},
		{Name: "RotateAuthority", Method: "POST", Path: "/api/v1/ca/rotate", Role: "security", Summary: "makes a new root; compromised drops the old one and all that it signed at once"},
		{Name: "ListUpstreams", Method: "GET", Path: "/api/v1/upstreams", Role: "viewer", Summary: "lists upstreams with their health, never their credentials"},
		{Name: "GetUpstream", Method: "GET", Path: "/api/v1/upstreams/{name}", Role: "viewer", Summary: "reads an upstream"},
		{Name: "GetPeerCard", Method: "GET", Path: "/api/v1/upstreams/{name}/card", Role: "viewer", Summary: "reads the card of a peer as it was fetched, and whether people accepted it"},
		{Name: "PutUpstream", Method: "PUT", Path: "/api/v1/upstreams/{name}", Role: "security", Summary: "makes or replaces an upstream; one that leads elsewhere loses its credential"},
		{Name: "ConnectUpstream", Method: "POST", Path: "/api/v1/upstreams/{name}/connection", Role: "security", Summary: "begins to connect an upstream to its authorization server"},
		{Name: "FinishUpstreamConnection", Method: "POST", Path: "/api/v1/upstreams/{name}/connection/finish", Role: "security", Summary: "finishes it with what the authorization server said"},
		{Name: "DisconnectUpstream", Method: "DELETE", Path: "/api/v1/upstreams/{name}/connection", Role: "security", Summary: "gives up what was granted for an upstream"},
		{Name: "SwitchUpstream", Method: "POST", Path: "/api/v1/upstreams/{name}/switch", Role: "responder or security", Summary: "sends an upstream's calls to another one like it"},
		{Name: "SwitchBackUpstream", Method: "POST", Path: "/api/v1/upstreams/{name}/switch-back", Role: "responder or security", Summary: "lets an upstream's calls go to it again"},
		{Name: "DeleteUpstream", Method: "DELETE", Path: "/api/v1/upstreams/{name}", Role: "security", Summary: "removes an upstream and its credential"},
		{Name: "ListFindings", Method: "GET", Path: "/api/v1/findings", Role: "viewer", Summary: "lists what detectors saw, the newest first, with what other parts found"},
		{Name: "GetFinding", Method: "GET", Path: "/api/v1/findings/{id}", Role: "viewer", Summary: "reads a finding with its evidence and what was done about it"},
		{Name: "JudgeFinding", Method: "POST", Path: "/api/v1/findings/{id}/judge", Role: "developer or responder or security", Summary: "says that a finding was useful or noise, or takes that back"},
		{Name: "FalseAlarm", Method: "POST", Path: "/api/v1/findings/{id}/false-alarm", Role: "responder or security", Summary: "calls a finding noise and takes back what Reeve did because of it"},
		{Name: "ListDetectors", Method: "GET", Path: "/api/v1/detectors", Role: "viewer", Summary: "lists detectors with what is wanted of them and what people said of their findings"},
		{Name: "PutDetector", Method: "PUT", Path: "/api/v1/detectors/{name}", Role: "developer or responder or security", Summary: "says what is wanted of a detector, by effect: alarms a week, smallest effect"},
		{Name: "ResetDetector", Method: "DELETE", Path: "/api/v1/detectors/{name}", Role: "developer or responder or security", Summary: "goes back to what is wanted of a detector for all agents, or by default"},
		{Name: "ListRules", Method: "GET", Path: "/api/v1/rules", Role: "viewer", Summary: "lists the rules that people wrote"},
		{Name: "GetRule", Method: "GET", Path: "/api/v1/rules/{name}", Role: "viewer", Summary: "reads a rule"},
		{Name: "ListRuleRevisions", Method: "GET", Path: "/api/v1/rules/{name}/revisions", Role: "viewer", Summary: "lists the versions of a rule, the newest first"},
		{Name: "PutRule", Method: "PUT", Path: "/api/v1/rules/{name}", Role: "developer or responder or security", Summary: "makes or changes a rule"},
		{Name: "DeleteRule", Method: "DELETE", Path: "/api/v1/rules/{name}", Role: "developer or responder or security", Summary: "drops a rule; its versions stay"},
		{Name: "TryRule", Method: "POST", Path: "/api/v1/rules/try", Role: "viewer", Summary: "says when a rule would have held in the last days, without keeping it"},
		{Name: "ListRuleWords", Method: "GET", Path: "/api/v1/rule-words", Role: "viewer", Summary: "lists what a rule may ask about"},
		{Name: "ListLogKinds", Method: "GET", Path: "/api/v1/agents/{name}/log-kinds", Role: "reader", Summary: "lists the kinds of an agent's log lines, with values masked"},
		{Name: "AgentBehaviour", Method: "GET", Path: "/api/v1/agents/{name}/behaviour", Role: "viewer", Summary: "reads what was measured of an agent: series, tools, paths, hours, what is normal"},
		{Name: "ListResponsePolicies", Method: "GET", Path: "/api/v1/response-policies", Role: "viewer", Summary: "lists what follows from which findings without a person"},
		{Name: "PutResponsePolicy", Method: "PUT", Path: "/api/v1/response-policies/{name}", Role: "security", Summary: "makes or changes a response policy; it observes unless it says enforce"},
		{Name: "DeleteResponsePolicy", Method: "DELETE", Path: "/api/v1/response-policies/{name}", Role: "security", Summary: "drops a response policy; what it did stays"},
		{Name: "ListResponses", Method: "GET", Path: "/api/v1/responses", Role: "viewer", Summary: "lists what was done about findings, or would have been, the newest first"},
		{Name: "RevertResponse", Method: "POST", Path: "/api/v1/responses/{id}/revert", Role: "responder or security", Summary: "takes a response back to what a person had set"},
		{Name: "ApplyResponse", Method: "POST", Path: "/api/v1/responses/{id}/apply", Role: "responder or security", Summary: "does what a braked or observing response policy would have done"},
		{Name: "ListTools", Method: "GET", Path: "/api/v1/tools", Role: "viewer", Summary: "lists the tools of MCP servers, with what waits for a person and why"},
		{Name: "UpstreamTools", Method: "GET", Path: "/api/v1/tools/{upstream}", Role: "viewer", Summary: "lists an upstream's tools with the digest by which all are accepted"},
		{Name: "GetTool", Method: "GET", Path: "/api/v1/tools/{upstream}/{tool}", Role: "viewer", Summary: "reads a tool with its versions, what changed, and what its definition suggests"},
		{Name: "ToolDifference", Method: "GET", Path: "/api/v1/tools/{upstream}/{tool}/difference", Role: "viewer", Summary: "tells how two definitions of a tool differ, word by word and by path"},
		{Name: "AcceptTool", Method: "POST", Path: "/api/v1/tools/{upstream}/{tool}/accept", Role: "security", Summary: "accepts the definition of a tool that was shown, with its effect, data classes and paths"},
		{Name: "HoldTool", Method: "POST", Path: "/api/v1/tools/{upstream}/{tool}/hold", Role: "security or responder", Summary: "makes a tool wait for a person again"},
		{Name: "AcceptTools", Method: "POST", Path: "/api/v1/tools/{upstream}/accept", Role: "security", Summary: "accepts all tools of an upstream that wait and that nothing serious speaks against"},
		{Name: "ForgetTool", Method: "DELETE", Path: "/api/v1/tools/{upstream}/{tool}", Role: "security", Summary: "drops a tool with its versions: the next list has it as new"},
		{Name: "ListToolFindings", Method: "GET", Path: "/api/v1/tool-findings", Role: "viewer", Summary: "lists why tools are or were held, the newest first"},
		{Name: "ListPolicies", Method: "GET", Path: "/api/v1/policies", Role: "viewer", Summary: "lists policies, guardrails first"},
		{Name: "GetPolicy", Method: "GET", Path: "/api/v1/policies/{name}", Role: "viewer", Summary: "reads a policy"},
		{Name: "PutPolicy", Method: "PUT", Path: "/api/v1/policies/{name}", Role: "developer or security", Summary: "makes or replaces a policy; a team's developers may do so in observe, security in enforce; a guardrail a second person confirms"},
		{Name: "DeletePolicy", Method: "DELETE", Path: "/api/v1/policies/{name}", Role: "developer or security", Summary: "ends a policy; its revisions stay; of a guardrail a second person confirms it"},
		{Name: "SetPolicyMode", Method: "POST", Path: "/api/v1/policies/{name}/mode", Role: "security", Summary: "puts a policy in observe or enforce"},
		{Name: "RestorePolicy", Method: "POST", Path: "/api/v1/policies/{name}/restore", Role: "developer or security", Summary: "makes a policy again what it was at a revision, a deleted one too"},
		{Name: "ListPolicyRevisions", Method: "GET", Path: "/api/v1/policies/{name}/revisions", Role: "viewer", Summary: "lists what a policy was, the newest first"},
		{Name: "ValidatePolicy", Method: "POST", Path: "/api/v1/policies/validate", Role: "viewer", Summary: "tells what is wrong with a policy's text, by line and column"},
		{Name: "Lint", Method: "GET", Path: "/api/v1/lint", Role: "viewer", Summary: "says what each agent's telemetry leaves out, what that costs, and what sets it"},
		{Name: "ListSources", Method: "GET", Path: "/api/v1/sources", Role: "viewer", Summary: "lists what agents read, with how fresh it is"},
		{Name: "GetSource", Method: "GET", Path: "/api/v1/sources/{name}", Role: "viewer", Summary: "reads a source with its versions, jobs, checks and documents"},
		{Name: "PutSource", Method: "PUT", Path: "/api/v1/sources/{name}", Role: "developer", Summary: "registers a source, or says how old it may be and who answers for it"},
		{Name: "DeleteSource", Method: "DELETE", Path: "/api/v1/sources/{name}", Role: "developer", Summary: "forgets a source and its history"},
		{Name: "TakeSourceOut", Method: "POST", Path: "/api/v1/sources/{name}/out", Role: "responder", Summary: "takes a source out of use: the door refuses to read it"},
		{Name: "PutSourceBack", Method: "POST", Path: "/api/v1/sources/{name}/back", Role: "responder", Summary: "puts a source back into use"},
		{Name: "ListRunSources", Method: "GET", Path: "/api/v1/runs/{id}/sources", Role: "viewer", Summary: "says what the run read, in which version and how old it was then"},
		{Name: "ListAlerts", Method: "GET", Path: "/api/v1/alerts", Role: "viewer", Summary: "lists alerts, firing ones first, then the last changed"},
		{Name: "GetAlert", Method: "GET", Path: "/api/v1/alerts/{id}", Role: "viewer", Summary: "reads an alert with its history and, for readers, its sender's own words"},
		{Name: "CloseAlert", Method: "POST", Path: "/api/v1/alerts/{id}/close", Role: "responder", Summary: "resolves an alert by hand; a new episode opens it again"},
		{Name: "ListChanges", Method: "GET", Path: "/api/v1/changes", Role: "viewer", Summary: "lists what was changed and may show in how agents behave, the newest first"},
		{Name: "GetChange", Method: "GET", Path: "/api/v1/changes/{id}", Role: "viewer", Summary: "reads a change"},
		{Name: "CreateChange", Method: "POST", Path: "/api/v1/changes", Role: "developer", Summary: "reports a change: a deployment, a prompt, a model, a flag; the same key updates it"},
		{Name: "ListEvaluators", Method: "GET", Path: "/api/v1/evaluators", Role: "viewer", Summary: "lists what looks at runs that ended"},
		{Name: "PutEvaluator", Method: "PUT", Path: "/api/v1/evaluators/{name}", Role: "developer", Summary: "makes or changes an evaluator: groundedness, schema, rule, voice, leak, refusal, judge"},
		{Name: "DeleteEvaluator", Method: "DELETE", Path: "/api/v1/evaluators/{name}", Role: "developer", Summary: "removes an evaluator; what it found stays"},
		{Name: "TryEvaluator", Method: "POST", Path: "/api/v1/evaluator-tries", Role: "developer", Summary: "tells what an evaluator would find of texts; nothing is kept"},
		{Name: "TryEvaluatorOnRuns", Method: "POST", Path: "/api/v1/evaluator-trials", Role: "developer", Summary: "tells what an evaluator would say of the newest runs that it would look at; nothing is kept"},
		{Name: "ListEvaluations", Method: "GET", Path: "/api/v1/evaluations", Role: "viewer", Summary: "lists what evaluators and people said of runs, the newest first"},
		{Name: "EvaluationSummary", Method: "GET", Path: "/api/v1/evaluation-summary", Role: "viewer", Summary: "adds up what evaluators found of agents and versions, and how far people agree"},
		{Name: "AnnotationQueue", Method: "GET", Path: "/api/v1/annotation-queue", Role: "developer or responder", Summary: "lists what oneself should label: unsure first, then failed, then a tenth of what passed"},
		{Name: "LabelRun", Method: "POST", Path: "/api/v1/evaluation-labels", Role: "developer or responder", Summary: "says of a run, in an evaluator's place, whether it is good"},
		{Name: "ListDatasets", Method: "GET", Path: "/api/v1/datasets", Role: "viewer", Summary: "lists data sets: cases from recorded runs"},
		{Name: "PutDataset", Method: "PUT", Path: "/api/v1/datasets/{name}", Role: "developer", Summary: "makes a data set, or changes what is said of it"},
		{Name: "DeleteDataset", Method: "DELETE", Path: "/api/v1/datasets/{name}", Role: "developer", Summary: "removes a data set with its items; what was exported stays on record"},
		{Name: "ListDatasetItems", Method: "GET", Path: "/api/v1/datasets/{name}/items", Role: "reader", Summary: "lists the items of a version of a data set"},
		{Name: "AddDatasetItem", Method: "POST", Path: "/api/v1/datasets/{name}/items", Role: "developer or responder", Summary: "makes a run a case of a data set, or changes the case that it is; personal data is cut out"},
		{Name: "RemoveDatasetItem", Method: "DELETE", Path: "/api/v1/datasets/{name}/items/{item}", Role: "developer", Summary: "takes an item out of the next version; versions before keep it"},
		{Name: "ExportDataset", Method: "POST", Path: "/api/v1/datasets/{name}/exports", Role: "developer", Summary: "gives out what has consent, as JSONL: evaluation cases, fine-tuning examples or preference pairs"},
		{Name: "ListDatasetExports", Method: "GET", Path: "/api/v1/datasets/{name}/exports", Role: "viewer", Summary: "lists what was exported of a data set, and what of that was withdrawn since"},
		{Name: "ListRunCases", Method: "GET", Path: "/api/v1/runs/{id}/cases", Role: "viewer", Summary: "lists the data sets in which a run is a case"},
		{Name: "ListTopics", Method: "GET", Path: "/api/v1/topics", Role: "viewer", Summary: "lists what people ask for, the most first, with what became of it"},
		{Name: "GetTopic", Method: "GET", Path: "/api/v1/topics/{id}", Role: "viewer", Summary: "reads a topic: its agents, its course, and for readers what is typically asked"},
		{Name: "ListTopicRuns", Method: "GET", Path: "/api/v1/topics/{id}/runs", Role: "viewer", Summary: "lists runs about a topic, the newest first; none lists those that are like too few others"},
		{Name: "NameTopic", Method: "PUT", Path: "/api/v1/topics/{id}/name", Role: "developer", Summary: "gives a topic a name"},
		{Name: "GetRunTopic", Method: "GET", Path: "/api/v1/runs/{id}/topic", Role: "viewer", Summary: "says what a run was about, and how patient its session's user was"},
		{Name: "ListMoods", Method: "GET", Path: "/api/v1/moods", Role: "viewer", Summary: "lists sessions with signs of frustration, the most frustrated first"},
		{Name: "GetGate", Method: "GET", Path: "/api/v1/agents/{name}/gate", Role: "viewer", Summary: "lists what an agent has to show before production, computed now"},
		{Name: "PutGateSet", Method: "PUT", Path: "/api/v1/agents/{name}/gate/dataset", Role: "developer or security", Summary: "names the data set on whose cases an agent has to pass; another one, or fewer cases, is security's"},
		{Name: "ListGateChanges", Method: "GET", Path: "/api/v1/agents/{name}/gate/cases", Role: "reader", Summary: "shows what became of the cases of an agent's gate since security approved them"},
		{Name: "ApproveGate", Method: "POST", Path: "/api/v1/agents/{name}/gate/cases", Role: "security", Summary: "approves the cases of an agent's gate as they are in the version that was looked at"},
		{Name: "PassGate", Method: "POST", Path: "/api/v1/agents/{name}/gate", Role: "developer or security", Summary: "promotes an agent if all of the list passes; what it came to is kept, and a refusal names the run"},
		{Name: "GetInvokeTarget", Method: "GET", Path: "/api/v1/agents/{name}/invoke", Role: "viewer", Summary: "says how an agent is invoked for tests; not found: it cannot be tested"},
		{Name: "PutInvokeTarget", Method: "PUT", Path: "/api/v1/agents/{name}/invoke", Role: "security", Summary: "says how an agent is invoked for tests, by A2A or a request of a template"},
		{Name: "TryInvoke", Method: "POST", Path: "/api/v1/agents/{name}/invoke/try", Role: "developer", Summary: "puts one question to an agent as a test, by what is kept or by what is given, and says whether it can be tested"},
		{Name: "StartExperiment", Method: "POST", Path: "/api/v1/experiments", Role: "developer", Summary: "runs an agent on the cases of a data set, or on bias pairs, as tests"},
		{Name: "ListExperiments", Method: "GET", Path: "/api/v1/experiments", Role: "viewer", Summary: "lists experiments, the newest first"},
		{Name: "GetExperiment", Method: "GET", Path: "/api/v1/experiments/{id}", Role: "viewer", Summary: "reads an experiment with its results"},
		{Name: "StopExperiment", Method: "POST", Path: "/api/v1/experiments/{id}/stop", Role: "developer", Summary: "ends an experiment; what it found stays"},
		{Name: "ListBiasPlans", Method: "GET", Path: "/api/v1/bias-plans", Role: "viewer", Summary: "lists bias plans: pairs that are replayed at times and for each version"},
		{Name: "PutBiasPlan", Method: "PUT", Path: "/api/v1/bias-plans/{name}", Role: "developer", Summary: "makes or changes a bias plan; it runs at once"},
		{Name: "DeleteBiasPlan", Method: "DELETE", Path: "/api/v1/bias-plans/{name}", Role: "developer", Summary: "ends a bias plan; its experiments stay"},
		{Name: "ListDrills", Method: "GET", Path: "/api/v1/drills", Role: "viewer", Summary: "lists failover drills: cases that are tried with an upstream taken as down, and what that came to last"},
		{Name: "GetDrill", Method: "GET", Path: "/api/v1/drills/{name}", Role: "viewer", Summary: "reads a failover drill with what it came to each time, the newest first"},
		{Name: "PutDrill", Method: "PUT", Path: "/api/v1/drills/{name}", Role: "developer", Summary: "makes or changes a failover drill: what is taken as down, for which cases, and when"},
		{Name: "RunDrill", Method: "POST", Path: "/api/v1/drills/{name}/run", Role: "developer", Summary: "tries a failover now, beside its schedule"},
		{Name: "DeleteDrill", Method: "DELETE", Path: "/api/v1/drills/{name}", Role: "developer", Summary: "ends a failover drill; its experiments stay"},
		{Name: "ListFeedback", Method: "GET", Path: "/api/v1/feedback", Role: "viewer", Summary: "lists what people and downstream systems said of runs, the newest first"},
		{Name: "GetFeedback", Method: "GET", Path: "/api/v1/feedback/{id}", Role: "viewer", Summary: "reads a feedback"},
		{Name: "FeedbackPatterns", Method: "GET", Path: "/api/v1/feedback-patterns", Role: "viewer", Summary: "compares what users thought of an agent's runs with and without each pattern of steps"},
		{Name: "FeedbackSummary", Method: "GET", Path: "/api/v1/feedback-summary", Role: "viewer", Summary: "adds up what users said of agents and versions in a period, and how many said nothing"},
		{Name: "CreateFeedback", Method: "POST", Path: "/api/v1/feedback", Role: "developer or responder", Summary: "takes what a user or a system said of a run, by its id, trace, session or join key, before or after the run is told of"},
		{Name: "BindFeedbackKey", Method: "POST", Path: "/api/v1/feedback-keys", Role: "developer or responder", Summary: "says which run a join key names"},
		{Name: "CreateFeedbackLink", Method: "POST", Path: "/api/v1/feedback-links", Role: "developer or responder", Summary: "makes signed links by which somebody without an account can say something of one run"},
		{Name: "TellFeedback", Method: "POST", Path: "/api/v1/feedback/{id}/tell", Role: "responder or developer", Summary: "notes what the person was told of what became of it, and answers with where to tell them"},
		{Name: "SetFeedbackStatus", Method: "PUT", Path: "/api/v1/feedback/{id}/status", Role: "responder or developer", Summary: "says what the person is shown, by their link, of what became of what they said"},
		{Name: "RevokeFeedbackStatus", Method: "DELETE", Path: "/api/v1/feedback/{id}/status", Role: "responder or developer", Summary: "ends the links by which the person sees what became of what they said"},
		{Name: "EraseFeedback", Method: "POST", Path: "/api/v1/feedback-erasures", Role: "developer or security", Summary: "erases what was said and by whom, of one feedback or of a user; verdicts stay counted"},
		{Name: "ListFeedbackForms", Method: "GET", Path: "/api/v1/feedback-forms", Role: "viewer", Summary: "lists the forms through which web pages send feedback"},
		{Name: "PutFeedbackForm", Method: "PUT", Path: "/api/v1/feedback-forms/{name}", Role: "developer", Summary: "makes or changes a form: the origins of the pages that may send"},
		{Name: "DeleteFeedbackForm", Method: "DELETE", Path: "/api/v1/feedback-forms/{name}", Role: "developer", Summary: "removes a form; what it sent stays"},
		{Name: "ListAlertSources", Method: "GET", Path: "/api/v1/alert-sources", Role: "viewer", Summary: "lists who sends alerts and changes, with counts, never with secrets"},
		{Name: "GetAlertSource", Method: "GET", Path: "/api/v1/alert-sources/{name}", Role: "viewer", Summary: "reads a source of alerts or changes"},
		{Name: "PutAlertSource", Method: "PUT", Path: "/api/v1/alert-sources/{name}", Role: "developer", Summary: "registers a source of alerts or changes; a new one's secret is answered once"},
		{Name: "RotateAlertSource", Method: "POST", Path: "/api/v1/alert-sources/{name}/rotate", Role: "developer", Summary: "gives a source a new secret; the old one is taken for a while"},
		{Name: "DeleteAlertSource", Method: "DELETE", Path: "/api/v1/alert-sources/{name}", Role: "developer", Summary: "removes a source and its secrets; what it sent stays"},
		{Name: "TryAlertSource", Method: "POST", Path: "/api/v1/alert-sources/try", Role: "viewer", Summary: "tells what a delivery would become, by a kind and its mapping; nothing is kept"},
		{Name: "ListBudgets", Method: "GET", Path: "/api/v1/budgets", Role: "viewer", Summary: "lists budgets with what is spent of them"},
		{Name: "GetBudget", Method: "GET", Path: "/api/v1/budgets/{name}", Role: "viewer", Summary: "reads a budget with the share of each that it counts for"},
		{Name: "PutBudget", Method: "PUT", Path: "/api/v1/budgets/{name}", Role: "developer or security", Summary: "makes or replaces a budget: a team's developers for its own agents, security for all"},
		{Name: "DeleteBudget", Method: "DELETE", Path: "/api/v1/budgets/{name}", Role: "developer or security", Summary: "removes a budget"},
		{Name: "CheckPolicy", Method: "POST", Path: "/api/v1/policies/check", Role: "viewer", Summary: "tells what the door would say to an action of an agent, and why"},
		{Name: "SimulatePolicies", Method: "POST", Path: "/api/v1/policies/simulate", Role: "viewer", Summary: "tries policies, or another mode, on recorded decisions and lists every verdict that would change"},
		{Name: "GetSimulation", Method: "GET", Path: "/api/v1/simulations/{id}", Role: "viewer", Summary: "reads a simulation of one's own, while it goes on too"},
		{Name: "WouldRefuse", Method: "GET", Path: "/api/v1/policies/would", Role: "viewer", Summary: "counts what observing kept from being refused, by agent, resource and reason"},
		{Name: "ProposePolicy", Method: "POST", Path: "/api/v1/policies/propose", Role: "viewer", Summary: "proposes the smallest policy that permits what an agent did, and tries it on the period before"},
		{Name: "EnforcePolicy", Method: "POST", Path: "/api/v1/policies/{name}/enforce", Role: "security", Summary: "enforces a policy once a simulation showed what that refuses; without one, answers with it"},
		{Name: "EnforceAgent", Method: "POST", Path: "/api/v1/agents/{name}/enforce", Role: "developer or security", Summary: "enforces an agent once a simulation showed what that refuses; without one, answers with it"},
		{Name: "BreakGlass", Method: "POST", Path: "/api/v1/agents/{name}/break-glass", Role: "responder or security", Summary: "sets an agent to observe for at most an hour, in an emergency; everybody is told"},
		{Name: "ListContentRules", Method: "GET", Path: "/api/v1/content-rules", Role: "viewer", Summary: "lists the rules for secrets and personal data in content"},
		{Name: "GetContentRule", Method: "GET", Path: "/api/v1/content-rules/{name}", Role: "viewer", Summary: "reads a content rule"},
		{Name: "PutContentRule", Method: "PUT", Path: "/api/v1/content-rules/{name}", Role: "security", Summary: "makes or replaces a content rule; it is in force for the next call"},
		{Name: "DeleteContentRule", Method: "DELETE", Path: "/api/v1/content-rules/{name}", Role: "security", Summary: "removes a content rule"},
		{Name: "ContentClasses", Method: "GET", Path: "/api/v1/content-classes", Role: "viewer", Summary: "lists what can be found in content"},
		{Name: "TryContent", Method: "POST", Path: "/api/v1/content-rules/try", Role: "viewer", Summary: "tells what the rules find in a text and what would become of it; nothing is kept"},
		{Name: "ListStops", Method: "GET", Path: "/api/v1/stops", Role: "viewer", Summary: "lists stops, the newest first, with their receipts"},
		{Name: "CreateStop", Method: "POST", Path: "/api/v1/stops", Role: "responder", Summary: "stops a target: cuts its calls in flight, kills an agent's credentials and refuses new calls; answers with the receipt"},
		{Name: "PreviewStop", Method: "POST", Path: "/api/v1/stops/preview", Role: "responder", Summary: "tells what a stop would cut now"},
		{Name: "LiftStop", Method: "POST", Path: "/api/v1/stops/{id}/lift", Role: "responder", Summary: "ends a stop; it revives no credential"},
		{Name: "ListApprovals", Method: "GET", Path: "/api/v1/approvals", Role: "signed_in", Summary: "lists held actions, the newest first; those that wait unless state says otherwise"},
		{Name: "ApprovalIndicators", Method: "GET", Path: "/api/v1/approvals/indicators", Role: "viewer", Summary: "tells how held actions were answered: how soon, by whom, and how many without being looked at"},
		{Name: "GetApproval", Method: "GET", Path: "/api/v1/approvals/{id}", Role: "signed_in", Summary: "reads a held action: what will happen, with which arguments, who agreed, how the like was answered"},
		{Name: "OpenApproval", Method: "POST", Path: "/api/v1/approvals/{id}/opened", Role: "signed_in", Summary: "notes that one looked at a held action"},
		{Name: "Approve", Method: "POST", Path: "/api/v1/approvals/{id}/approve", Role: "signed_in", Summary: "agrees to a held action with exactly the arguments of the hash"},
		{Name: "DenyApproval", Method: "POST", Path: "/api/v1/approvals/{id}/deny", Role: "signed_in", Summary: "denies a held action, and the same again for a day"},
		{Name: "EditApproval", Method: "POST", Path: "/api/v1/approvals/{id}/edit", Role: "signed_in", Summary: "agrees to a held action with other arguments, which are decided on again"},
		{Name: "TakeOver", Method: "POST", Path: "/api/v1/approvals/{id}/takeover", Role: "signed_in", Summary: "does a held action instead of the agent, or gives its result; further calls of the run are held"},
		{Name: "GiveBack", Method: "POST", Path: "/api/v1/approvals/{id}/give-back", Role: "signed_in", Summary: "lets a run that was taken over go on"},
		{Name: "Me", Method: "GET", Path: "/api/v1/me", Role: "signed_in", Summary: "tells who asks and what they may do"},
		{Name: "Setup", Method: "GET", Path: "/api/v1/setup", Role: "public", Summary: "tells whether the first account is still to be made"},
		{Name: "SignIn", Method: "POST", Path: "/api/v1/sign-ins", Role: "public", Summary: "signs in with name and password"},
		{Name: "ListSignIns", Method: "GET", Path: "/api/v1/sign-ins", Role: "own or admin", Summary: "lists one's sessions; an admin may ask for everybody's"},
		{Name: "EndSignIn", Method: "DELETE", Path: "/api/v1/sign-ins/{id}", Role: "own or admin", Summary: "ends a session; current ends the one that asks"},
		{Name: "ListPeople", Method: "GET", Path: "/api/v1/people", Role: "viewer", Summary: "lists people with their teams and roles"},
		{Name: "CreatePerson", Method: "POST", Path: "/api/v1/people", Role: "admin", Summary: "makes an account; with the admin token the first one, an admin, and the token dies"},
		{Name: "UpdatePerson", Method: "PATCH", Path: "/api/v1/people/{id}", Role: "own or admin", Summary: "changes an account: name and password; as an admin also teams, disabled, and roles, which a second person confirms"},
		{Name: "ListFactors", Method: "GET", Path: "/api/v1/people/{id}/factors", Role: "own or admin", Summary: "lists second factors: one's own (me), or anybody's for an admin"},
		{Name: "BeginFactor", Method: "POST", Path: "/api/v1/me/factors", Role: "signed_in", Summary: "enrols a device for one-time codes; its secret is shown once"},
		{Name: "ConfirmFactor", Method: "POST", Path: "/api/v1/me/factors/{id}/confirm", Role: "signed_in", Summary: "shows a first code, so that the device counts; the first device brings recovery codes"},
		{Name: "RemoveFactor", Method: "DELETE", Path: "/api/v1/factors/{id}", Role: "own or admin", Summary: "takes a second factor away; the person's other sessions end"},
		{Name: "RenewRecoveryCodes", Method: "POST", Path: "/api/v1/me/recovery-codes", Role: "signed_in", Summary: "gives new recovery codes for the old ones"},
		{Name: "ShowFactor", Method: "POST", Path: "/api/v1/me/fresh", Role: "signed_in", Summary: "shows a code of the second factor, which dangerous acts need within five minutes"},
		{Name: "BeginPasskey", Method: "POST", Path: "/api/v1/me/passkeys", Role: "signed_in", Summary: "enrols a passkey of the browser that asks"},
		{Name: "ConfirmPasskey", Method: "POST", Path: "/api/v1/me/passkeys/{id}/confirm", Role: "signed_in", Summary: "takes the browser's new passkey, so that it counts; the first factor brings recovery codes"},
		{Name: "AskPasskey", Method: "POST", Path: "/api/v1/me/fresh/passkey/options", Role: "signed_in", Summary: "gives what a browser is asked with for one of one's own passkeys"},
		{Name: "ShowPasskey", Method: "POST", Path: "/api/v1/me/fresh/passkey", Role: "signed_in", Summary: "shows a passkey, which dangerous acts need within five minutes"},
		{Name: "AskPasskeySignIn", Method: "POST", Path: "/api/v1/sign-ins/passkey/options", Role: "public", Summary: "gives what a browser is asked with for a passkey to sign in with"},
		{Name: "SignInWithPasskey", Method: "POST", Path: "/api/v1/sign-ins/passkey", Role: "public", Summary: "signs in with a passkey, without a password"},
		{Name: "RedeemSignIn", Method: "POST", Path: "/api/v1/sign-ins/redeem", Role: "public", Summary: "fetches the session that a provider's sign-in opened, once and with its cookie"},
		{Name: "ListProposals", Method: "GET", Path: "/api/v1/proposals", Role: "signed_in", Summary: "lists changes that wait for a second person, or did: one's own and those one may confirm"},
		{Name: "ConfirmProposal", Method: "POST", Path: "/api/v1/proposals/{id}/confirm", Role: "signed_in", Summary: "makes a change that another person asked for"},
		{Name: "DeclineProposal", Method: "POST", Path: "/api/v1/proposals/{id}/decline", Role: "signed_in", Summary: "refuses a change that another person asked for"},
		{Name: "WithdrawProposal", Method: "POST", Path: "/api/v1/proposals/{id}/withdraw", Role: "signed_in", Summary: "takes back a change that one asked for"},
		{Name: "ListTeams", Method: "GET", Path: "/api/v1/teams", Role: "viewer", Summary: "lists teams"},
		{Name: "CreateTeam", Method: "POST", Path: "/api/v1/teams", Role: "admin", Summary: "makes a team"},
		{Name: "ListTokens", Method: "GET", Path: "/api/v1/tokens", Role: "own or admin", Summary: "lists one's tokens; an admin may ask for everybody's"},
		{Name: "CreateToken", Method: "POST", Path: "/api/v1/tokens", Role: "signed_in", Summary: "makes a token with at most one's own roles; its secret is shown once"},
		{Name: "RevokeToken", Method: "DELETE", Path: "/api/v1/tokens/{id}", Role: "own or admin", Summary: "ends a token"},
		{Name: "GetRunOutcome", Method: "GET", Path: "/api/v1/runs/{id}/outcome", Role: "viewer", Summary: "says how a run ended for its user, and why it counts so"},
		{Name: "DecideOutcome", Method: "POST", Path: "/api/v1/runs/{id}/outcome", Role: "developer or responder", Summary: "says how a run ended; it holds over all evidence"},
		{Name: "ReportOutcome", Method: "POST", Path: "/api/v1/outcome-evidence", Role: "developer or responder", Summary: "reports what a downstream system, a user or a judge says of how a run ended; the run may come later"},
		{Name: "ListEvidence", Method: "GET", Path: "/api/v1/outcome-evidence", Role: "viewer", Summary: "lists evidence about outcomes, the newest first"},
		{Name: "ListOutcomeRules", Method: "GET", Path: "/api/v1/outcome-rules", Role: "viewer", Summary: "lists rules about outcomes, deadlines and stuck runs, and the settling windows"},
		{Name: "TryOutcomeRule", Method: "POST", Path: "/api/v1/outcome-rules/try", Role: "viewer", Summary: "says what a rule about outcomes would say of the runs of the last days, without keeping it"},
		{Name: "PutOutcomeRule", Method: "PUT", Path: "/api/v1/outcome-rules/{name}", Role: "developer or responder", Summary: "makes or changes a rule about outcomes"},
		{Name: "DeleteOutcomeRule", Method: "DELETE", Path: "/api/v1/outcome-rules/{name}", Role: "developer or responder", Summary: "drops a rule about outcomes"},
		{Name: "ListKPIs", Method: "GET", Path: "/api/v1/kpis", Role: "viewer", Summary: "lists the KPIs with what they mean and what they come to"},
		{Name: "GetKPI", Method: "GET", Path: "/api/v1/kpis/{id}", Role: "viewer", Summary: "gives one KPI over time, split where asked, with interval, sample, coverage and its records"},
		{Name: "TryKPI", Method: "POST", Path: "/api/v1/kpis/try", Role: "viewer", Summary: "says what a definition of a KPI would come to, without keeping it"},
		{Name: "ListKPIRecords", Method: "GET", Path: "/api/v1/kpis/{id}/records", Role: "viewer", Summary: "lists the records behind a figure that no search finds: feedback, sessions, evaluations, cases"},
		{Name: "PutKPI", Method: "PUT", Path: "/api/v1/kpis/{id}", Role: "developer or responder", Summary: "defines a KPI of your own, or its next version"},
		{Name: "DeleteKPI", Method: "DELETE", Path: "/api/v1/kpis/{id}", Role: "developer or responder", Summary: "drops a KPI of your own; its versions stay"},
		{Name: "ListKPIVersions", Method: "GET", Path: "/api/v1/kpis/{id}/versions", Role: "viewer", Summary: "lists the versions of a KPI of your own, the newest first"},
		{Name: "GetValueLedger", Method: "GET", Path: "/api/v1/value", Role: "viewer", Summary: "says what runs were worth by the assumptions in force, less cost, people's minutes and harm, and how far each assumption moves it"},
		{Name: "ListAssumptions", Method: "GET", Path: "/api/v1/value/assumptions", Role: "viewer", Summary: "lists the versions of what runs were said to be worth, the newest first"},
		{Name: "PutAssumptions", Method: "PUT", Path: "/api/v1/value/assumptions", Role: "developer", Summary: "says what runs are worth and what harm costs; every version stays"},
		{Name: "ListInvoices", Method: "GET", Path: "/api/v1/cost/invoices", Role: "viewer", Summary: "lists invoices and usage exports of providers that were imported"},
		{Name: "ListRerates", Method: "GET", Path: "/api/v1/cost/rerates", Role: "viewer", Summary: "lists times whose calls were, or would be, priced again"},
		{Name: "PlanRerate", Method: "POST", Path: "/api/v1/cost/rerates", Role: "admin", Summary: "looks for what pricing the calls of a time again would change; nothing changes yet"},
		{Name: "GetRerate", Method: "GET", Path: "/api/v1/cost/rerates/{id}", Role: "viewer", Summary: "reads a plan or what became of it, with its progress"},
		{Name: "ApplyRerate", Method: "POST", Path: "/api/v1/cost/rerates/{id}/apply", Role: "admin", Summary: "gives the calls of a plan their new costs; those that their senders gave stay"},
		{Name: "UndoRerate", Method: "POST", Path: "/api/v1/cost/rerates/{id}/undo", Role: "admin", Summary: "gives the calls their old costs back"},
		{Name: "ListRemaps", Method: "GET", Path: "/api/v1/remaps", Role: "admin", Summary: "lists times whose steps were, or would be, mapped again"},
		{Name: "PlanRemap", Method: "POST", Path: "/api/v1/remaps", Role: "admin", Summary: "looks for what today's table would make otherwise of stored steps; nothing changes yet"},
		{Name: "GetRemap", Method: "GET", Path: "/api/v1/remaps/{id}", Role: "admin", Summary: "reads a plan or what became of it, with its progress"},
		{Name: "ApplyRemap", Method: "POST", Path: "/api/v1/remaps/{id}/apply", Role: "admin", Summary: "maps the steps of a plan again; their attributes stay, but for what is content or a credential by now"},
		{Name: "ImportInvoice", Method: "POST", Path: "/api/v1/cost/invoices", Role: "admin", Summary: "reads a provider's invoice or usage export; the same file again is the same invoice"},
		{Name: "Reconcile", Method: "GET", Path: "/api/v1/cost/invoices/{id}", Role: "viewer", Summary: "holds an invoice against the model calls counted here, by day and model"},
		{Name: "DeleteInvoice", Method: "DELETE", Path: "/api/v1/cost/invoices/{id}", Role: "admin", Summary: "forgets an imported invoice"},
		{Name: "ListFrameworks", Method: "GET", Path: "/api/v1/connect", Role: "signed_in", Summary: "lists how agents join, by what they are built with, filled in for this server"},
		{Name: "Connect", Method: "POST", Path: "/api/v1/connect/{framework}", Role: "developer or security or admin", Summary: "makes the keys that an agent needs to join, and what to copy with them in it, which is shown once"},
		{Name: "ConnectProgress", Method: "GET", Path: "/api/v1/connect/progress", Role: "viewer", Summary: "tells whether an agent's first step and decision have arrived, and what its telemetry leaves out"},
		{Name: "ListIntakeKeys", Method: "GET", Path: "/api/v1/intake-keys", Role: "developer or security or admin or auditor", Summary: "lists intake keys of one's teams"},
		{Name: "CreateIntakeKey", Method: "POST", Path: "/api/v1/intake-keys", Role: "developer or security or admin", Summary: "makes a write-only key for a team's environment; its secret is shown once"},
		{Name: "RevokeIntakeKey", Method: "DELETE", Path: "/api/v1/intake-keys/{id}", Role: "developer or security or admin", Summary: "ends an intake key"},
		{Name: "ListAudit", Method: "GET", Path: "/api/v1/audit", Role: "auditor", Summary: "lists the audit log, the newest first"},
	}
}

// ListObjectives lists objectives with what is left of their budgets.
//
// GET /api/v1/objectives, role viewer.
func (c *Client) ListObjectives(ctx context.Context, req ListObjectivesRequest) (*List[Objective], error) {
	return call[List[Objective]](ctx, c, "GET", "/api/v1/objectives", req)
}

// GetObjective reads an objective with how it stands.
//
// GET /api/v1/objectives/{name}, role viewer.
func (c *Client) GetObjective(ctx context.Context, req ObjectiveRequest) (*Objective, error) {
	return call[Objective](ctx, c, "GET", "/api/v1/objectives/{name}", req)
}

// GetObjectiveStatus gives an objective over its window, and what spent its budget.
//
// GET /api/v1/objectives/{name}/status, role viewer.
func (c *Client) GetObjectiveStatus(ctx context.Context, req ObjectiveRequest) (*ObjectiveStatus, error) {
	return call[ObjectiveStatus](ctx, c, "GET", "/api/v1/objectives/{name}/status", req)
}

// PutObjective makes or changes an objective; dry_run only says what is wrong and what warns.
//
// PUT /api/v1/objectives/{name}, role developer or responder.
func (c *Client) PutObjective(ctx context.Context, req PutObjectiveRequest) (*Objective, error) {
	return call[Objective](ctx, c, "PUT", "/api/v1/objectives/{name}", req)
}

// DeleteObjective drops an objective; what a response policy did for it stays until a person takes it back.
//
// DELETE /api/v1/objectives/{name}, role developer or responder.
func (c *Client) DeleteObjective(ctx context.Context, req DeleteObjectiveRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/objectives/{name}", req)
	return err
}

// ListObjectiveProposals lists lasting changes of autonomy that objectives speak for, the newest first.
//
// GET /api/v1/objective-proposals, role viewer.
func (c *Client) ListObjectiveProposals(ctx context.Context, req ListObjectiveProposalsRequest) (*List[ObjectiveProposal], error) {
	return call[List[ObjectiveProposal]](ctx, c, "GET", "/api/v1/objective-proposals", req)
}

// AcceptObjectiveProposal changes the agent's autonomy as proposed, with one's own rights.
//
// POST /api/v1/objective-proposals/{id}/accept, role developer or responder or security.
func (c *Client) AcceptObjectiveProposal(ctx context.Context, req DecideObjectiveProposalRequest) (*ObjectiveProposal, error) {
	return call[ObjectiveProposal](ctx, c, "POST", "/api/v1/objective-proposals/{id}/accept", req)
}

// DeclineObjectiveProposal leaves the agent's autonomy as it is.
//
// POST /api/v1/objective-proposals/{id}/decline, role developer or responder or security.
func (c *Client) DeclineObjectiveProposal(ctx context.Context, req DecideObjectiveProposalRequest) (*ObjectiveProposal, error) {
	return call[ObjectiveProposal](ctx, c, "POST", "/api/v1/objective-proposals/{id}/decline", req)
}

// ListIncidents lists incidents: live ones by the people they touch, then the newest first.
//
// GET /api/v1/incidents, role viewer.
func (c *Client) ListIncidents(ctx context.Context, req ListIncidentsRequest) (*List[Incident], error) {
	return call[List[Incident]](ctx, c, "GET", "/api/v1/incidents", req)
}

// OpenIncident opens an incident by hand.
//
// POST /api/v1/incidents, role responder.
func (c *Client) OpenIncident(ctx context.Context, req OpenIncidentRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents", req)
}

// GetIncident reads an incident with its timeline, its signals and why each is there.
//
// GET /api/v1/incidents/{id}, role viewer.
func (c *Client) GetIncident(ctx context.Context, req IncidentRequest) (*IncidentDetail, error) {
	return call[IncidentDetail](ctx, c, "GET", "/api/v1/incidents/{id}", req)
}

// UpdateIncident changes title, severity, kind, owner and roles of an incident.
//
// PATCH /api/v1/incidents/{id}, role responder.
func (c *Client) UpdateIncident(ctx context.Context, req UpdateIncidentRequest) (*Incident, error) {
	return call[Incident](ctx, c, "PATCH", "/api/v1/incidents/{id}", req)
}

// AcknowledgeIncident says that somebody looks at it: paging ends.
//
// POST /api/v1/incidents/{id}/acknowledge, role responder.
func (c *Client) AcknowledgeIncident(ctx context.Context, req IncidentNoteRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/acknowledge", req)
}

// MitigateIncident says that people are safe from it.
//
// POST /api/v1/incidents/{id}/mitigate, role responder.
func (c *Client) MitigateIncident(ctx context.Context, req IncidentNoteRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/mitigate", req)
}

// ResolveIncident ends an incident.
//
// POST /api/v1/incidents/{id}/resolve, role responder.
func (c *Client) ResolveIncident(ctx context.Context, req IncidentNoteRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/resolve", req)
}

// ReopenIncident takes back that it was mitigated or resolved.
//
// POST /api/v1/incidents/{id}/reopen, role responder.
func (c *Client) ReopenIncident(ctx context.Context, req IncidentNoteRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/reopen", req)
}

// NoteIncident adds a person's words to the timeline.
//
// POST /api/v1/incidents/{id}/notes, role responder.
func (c *Client) NoteIncident(ctx context.Context, req IncidentNoteRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/notes", req)
}

// IncidentTimeline lists the sentences of an incident, each with its evidence.
//
// GET /api/v1/incidents/{id}/timeline, role viewer.
func (c *Client) IncidentTimeline(ctx context.Context, req IncidentRequest) (*List[IncidentEntry], error) {
	return call[List[IncidentEntry]](ctx, c, "GET", "/api/v1/incidents/{id}/timeline", req)
}

// MergeIncident makes an incident part of another; it can be taken back.
//
// POST /api/v1/incidents/{id}/merge, role responder.
func (c *Client) MergeIncident(ctx context.Context, req MergeIncidentRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/merge", req)
}

// SplitIncident takes signals out into an incident of their own; it can be taken back.
//
// POST /api/v1/incidents/{id}/split, role responder.
func (c *Client) SplitIncident(ctx context.Context, req SplitIncidentRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/split", req)
}

// JudgeIncidentSignal says whether a signal belongs to an incident, which moves the weights.
//
// POST /api/v1/incidents/{id}/judge, role responder.
func (c *Client) JudgeIncidentSignal(ctx context.Context, req JudgeSignalRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incidents/{id}/judge", req)
}

// UndoIncidentMove takes a merge or split back, and what it had taught.
//
// POST /api/v1/incident-moves/{id}/undo, role responder.
func (c *Client) UndoIncidentMove(ctx context.Context, req UndoMoveRequest) (*Incident, error) {
	return call[Incident](ctx, c, "POST", "/api/v1/incident-moves/{id}/undo", req)
}

// GetIncidentWeights reads by which weights signals are joined, and what people's verdicts changed.
//
// GET /api/v1/incident-weights, role viewer.
func (c *Client) GetIncidentWeights(ctx context.Context) (*IncidentWeights, error) {
	return call[IncidentWeights](ctx, c, "GET", "/api/v1/incident-weights", nil)
}

// RevertIncidentWeights takes what one verdict changed of the weights back.
//
// POST /api/v1/incident-weights/revert, role responder.
func (c *Client) RevertIncidentWeights(ctx context.Context, req RevertWeightsRequest) (*IncidentWeights, error) {
	return call[IncidentWeights](ctx, c, "POST", "/api/v1/incident-weights/revert", req)
}

// ListIncidentOffers lists what can be done about an incident.
//
// GET /api/v1/incidents/{id}/offers, role viewer.
func (c *Client) ListIncidentOffers(ctx context.Context, req IncidentRequest) (*List[IncidentOffer], error) {
	return call[List[IncidentOffer]](ctx, c, "GET", "/api/v1/incidents/{id}/offers", req)
}

// PreviewIncidentAct tells what an act would come to, without doing it.
//
// POST /api/v1/incidents/{id}/preview, role responder.
func (c *Client) PreviewIncidentAct(ctx context.Context, req IncidentActRequest) (*IncidentPreview, error) {
	return call[IncidentPreview](ctx, c, "POST", "/api/v1/incidents/{id}/preview", req)
}

// ActOnIncident does something about an incident: contain, stop, lower a budget, pin, switch, take a source out, tell the affected, for which a second person agrees.
//
// POST /api/v1/incidents/{id}/acts, role responder.
func (c *Client) ActOnIncident(ctx context.Context, req IncidentActRequest) (*IncidentAct, error) {
	return call[IncidentAct](ctx, c, "POST", "/api/v1/incidents/{id}/acts", req)
}

// UndoIncidentAct takes back what was done about an incident.
//
// POST /api/v1/incident-acts/{id}/undo, role responder.
func (c *Client) UndoIncidentAct(ctx context.Context, req UndoActRequest) (*IncidentAct, error) {
	return call[IncidentAct](ctx, c, "POST", "/api/v1/incident-acts/{id}/undo", req)
}

// ListIncidentRecords lists what runs of an incident's agents changed since it began.
//
// GET /api/v1/incidents/{id}/records, role viewer.
func (c *Client) ListIncidentRecords(ctx context.Context, req IncidentRequest) (*List[IncidentRecord], error) {
	return call[List[IncidentRecord]](ctx, c, "GET", "/api/v1/incidents/{id}/records", req)
}

// AddIncidentTask adds an action with owner and date, a compensation or a step.
//
// POST /api/v1/incidents/{id}/tasks, role responder.
func (c *Client) AddIncidentTask(ctx context.Context, req AddIncidentTaskRequest) (*IncidentTask, error) {
	return call[IncidentTask](ctx, c, "POST", "/api/v1/incidents/{id}/tasks", req)
}

// ChangeIncidentTask changes a task, agrees to a compensation, or says that it is done.
//
// POST /api/v1/incident-tasks/{id}, role viewer.
func (c *Client) ChangeIncidentTask(ctx context.Context, req ChangeIncidentTaskRequest) (*IncidentTask, error) {
	return call[IncidentTask](ctx, c, "POST", "/api/v1/incident-tasks/{id}", req)
}

// ListIncidentActions lists what is to be done after incidents, the first due first.
//
// GET /api/v1/incident-actions, role viewer.
func (c *Client) ListIncidentActions(ctx context.Context, req ListIncidentActionsRequest) (*List[IncidentTask], error) {
	return call[List[IncidentTask]](ctx, c, "GET", "/api/v1/incident-actions", req)
}

// GetIncidentReview reads the review of an incident, or drafts it from the timeline.
//
// GET /api/v1/incidents/{id}/review, role viewer.
func (c *Client) GetIncidentReview(ctx context.Context, req IncidentRequest) (*IncidentReview, error) {
	return call[IncidentReview](ctx, c, "GET", "/api/v1/incidents/{id}/review", req)
}

// SaveIncidentReview stores the review of an incident; done ends it as reviewed.
//
// PUT /api/v1/incidents/{id}/review, role responder.
func (c *Client) SaveIncidentReview(ctx context.Context, req SaveReviewRequest) (*IncidentReview, error) {
	return call[IncidentReview](ctx, c, "PUT", "/api/v1/incidents/{id}/review", req)
}

// ListSilences lists silences and maintenance windows.
//
// GET /api/v1/silences, role viewer.
func (c *Client) ListSilences(ctx context.Context, req ListSilencesRequest) (*List[Silence], error) {
	return call[List[Silence]](ctx, c, "GET", "/api/v1/silences", req)
}

// CreateSilence keeps matching signals from making incidents until a time.
//
// POST /api/v1/silences, role responder.
func (c *Client) CreateSilence(ctx context.Context, req CreateSilenceRequest) (*Silence, error) {
	return call[Silence](ctx, c, "POST", "/api/v1/silences", req)
}

// EndSilence ends a silence: what still fires is taken in.
//
// POST /api/v1/silences/{id}/end, role responder.
func (c *Client) EndSilence(ctx context.Context, req EndSilenceRequest) (*Silence, error) {
	return call[Silence](ctx, c, "POST", "/api/v1/silences/{id}/end", req)
}

// ListChannelKinds lists the kinds of channels.
//
// GET /api/v1/channel-kinds, role viewer.
func (c *Client) ListChannelKinds(ctx context.Context) (*List[ChannelKind], error) {
	return call[List[ChannelKind]](ctx, c, "GET", "/api/v1/channel-kinds", nil)
}

// ListChannels lists the ways to tell people, never their secrets.
//
// GET /api/v1/channels, role viewer.
func (c *Client) ListChannels(ctx context.Context) (*List[Channel], error) {
	return call[List[Channel]](ctx, c, "GET", "/api/v1/channels", nil)
}

// PutChannel makes or changes a channel; one that leads elsewhere needs its secret anew.
//
// PUT /api/v1/channels/{name}, role responder or security.
func (c *Client) PutChannel(ctx context.Context, req PutChannelRequest) (*Channel, error) {
	return call[Channel](ctx, c, "PUT", "/api/v1/channels/{name}", req)
}

// RemoveChannel ends a channel.
//
// DELETE /api/v1/channels/{name}, role responder or security.
func (c *Client) RemoveChannel(ctx context.Context, req ChannelRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/channels/{name}", req)
	return err
}

// TryChannel sends a test message and tells what came of it.
//
// POST /api/v1/channels/{name}/try, role responder or security.
func (c *Client) TryChannel(ctx context.Context, req TryChannelRequest) (*Delivery, error) {
	return call[Delivery](ctx, c, "POST", "/api/v1/channels/{name}/try", req)
}

// ListChannelStates lists what a channel's receiver told of what it was sent, and what became of it.
//
// GET /api/v1/channels/{name}/states, role viewer.
func (c *Client) ListChannelStates(ctx context.Context, req ChannelRequest) (*List[ChannelState], error) {
	return call[List[ChannelState]](ctx, c, "GET", "/api/v1/channels/{name}/states", req)
}

// ListDeliveries lists what was sent, with each answer, the newest first.
//
// GET /api/v1/deliveries, role viewer.
func (c *Client) ListDeliveries(ctx context.Context, req ListDeliveriesRequest) (*List[Delivery], error) {
	return call[List[Delivery]](ctx, c, "GET", "/api/v1/deliveries", req)
}

// ListSchedules lists who is on call now and next.
//
// GET /api/v1/on-call, role viewer.
func (c *Client) ListSchedules(ctx context.Context) (*List[OnCallSchedule], error) {
	return call[List[OnCallSchedule]](ctx, c, "GET", "/api/v1/on-call", nil)
}

// GetSchedule reads a schedule with its shifts of the next days.
//
// GET /api/v1/on-call/{name}, role viewer.
func (c *Client) GetSchedule(ctx context.Context, req ScheduleRequest) (*OnCallScheduleDetail, error) {
	return call[OnCallScheduleDetail](ctx, c, "GET", "/api/v1/on-call/{name}", req)
}

// PutSchedule makes or changes a schedule: rotations, zone.
//
// PUT /api/v1/on-call/{name}, role responder or security.
func (c *Client) PutSchedule(ctx context.Context, req PutScheduleRequest) (*OnCallScheduleDetail, error) {
	return call[OnCallScheduleDetail](ctx, c, "PUT", "/api/v1/on-call/{name}", req)
}

// DeleteSchedule ends a schedule that no policy calls.
//
// DELETE /api/v1/on-call/{name}, role responder or security.
func (c *Client) DeleteSchedule(ctx context.Context, req NameRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/on-call/{name}", req)
	return err
}

// OverrideOnCall puts somebody on call for a time; oneself always.
//
// POST /api/v1/on-call/{name}/overrides, role viewer.
func (c *Client) OverrideOnCall(ctx context.Context, req OverrideRequest) (*OnCallScheduleDetail, error) {
	return call[OnCallScheduleDetail](ctx, c, "POST", "/api/v1/on-call/{name}/overrides", req)
}

// EndOverride takes an override away.
//
// DELETE /api/v1/on-call/{name}/overrides/{id}, role viewer.
func (c *Client) EndOverride(ctx context.Context, req EndOverrideRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/on-call/{name}/overrides/{id}", req)
	return err
}

// ListEscalationPolicies lists who is called, and who next.
//
// GET /api/v1/escalation-policies, role viewer.
func (c *Client) ListEscalationPolicies(ctx context.Context) (*List[EscalationPolicy], error) {
	return call[List[EscalationPolicy]](ctx, c, "GET", "/api/v1/escalation-policies", nil)
}

// PutEscalationPolicy makes or changes an escalation policy.
//
// PUT /api/v1/escalation-policies/{name}, role responder or security.
func (c *Client) PutEscalationPolicy(ctx context.Context, req PutEscalationPolicyRequest) (*EscalationPolicy, error) {
	return call[EscalationPolicy](ctx, c, "PUT", "/api/v1/escalation-policies/{name}", req)
}

// DeleteEscalationPolicy ends an escalation policy.
//
// DELETE /api/v1/escalation-policies/{name}, role responder or security.
func (c *Client) DeleteEscalationPolicy(ctx context.Context, req NameRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/escalation-policies/{name}", req)
	return err
}

// ListPages lists whom Reeve called about what, and whether it arrived.
//
// GET /api/v1/pages, role viewer.
func (c *Client) ListPages(ctx context.Context, req ListPagesRequest) (*List[Page], error) {
	return call[List[Page]](ctx, c, "GET", "/api/v1/pages", req)
}

// GetContacts tells how one is reached; me is oneself.
//
// GET /api/v1/contacts/{person}, role signed_in.
func (c *Client) GetContacts(ctx context.Context, req ContactsRequest) (*Contacts, error) {
	return call[Contacts](ctx, c, "GET", "/api/v1/contacts/{person}", req)
}

// PutContacts says how one is reached.
//
// PUT /api/v1/contacts/{person}, role signed_in.
func (c *Client) PutContacts(ctx context.Context, req PutContactsRequest) (*Contacts, error) {
	return call[Contacts](ctx, c, "PUT", "/api/v1/contacts/{person}", req)
}

// LinkChat says that an account in a chat is one's own, by the token that the chat was given.
//
// POST /api/v1/chat-links, role signed_in.
func (c *Client) LinkChat(ctx context.Context, req LinkChatRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/chat-links", req)
	return err
}

// ListLessons lists what was learned of incidents.
//
// GET /api/v1/lessons, role viewer.
func (c *Client) ListLessons(ctx context.Context, req ListLessonsRequest) (*List[Lesson], error) {
	return call[List[Lesson]](ctx, c, "GET", "/api/v1/lessons", req)
}

// CreateLesson makes a lesson that agents fetch at the door.
//
// POST /api/v1/lessons, role responder or developer.
func (c *Client) CreateLesson(ctx context.Context, req CreateLessonRequest) (*LessonDetail, error) {
	return call[LessonDetail](ctx, c, "POST", "/api/v1/lessons", req)
}

// GetLesson reads a lesson with who read it and what came of its measure.
//
// GET /api/v1/lessons/{id}, role viewer.
func (c *Client) GetLesson(ctx context.Context, req LessonRequest) (*LessonDetail, error) {
	return call[LessonDetail](ctx, c, "GET", "/api/v1/lessons/{id}", req)
}

// UpdateLesson changes a lesson, or lets it hold again.
//
// PUT /api/v1/lessons/{id}, role responder or developer.
func (c *Client) UpdateLesson(ctx context.Context, req UpdateLessonRequest) (*LessonDetail, error) {
	return call[LessonDetail](ctx, c, "PUT", "/api/v1/lessons/{id}", req)
}

// RevokeLesson takes a lesson back: no agent is given it any more.
//
// POST /api/v1/lessons/{id}/revoke, role responder or developer.
func (c *Client) RevokeLesson(ctx context.Context, req RevokeLessonRequest) (*LessonDetail, error) {
	return call[LessonDetail](ctx, c, "POST", "/api/v1/lessons/{id}/revoke", req)
}

// ListCanaries lists the models that are asked fixed prompts, and what changed of their answers.
//
// GET /api/v1/canaries, role viewer.
func (c *Client) ListCanaries(ctx context.Context) (*List[Canary], error) {
	return call[List[Canary]](ctx, c, "GET", "/api/v1/canaries", nil)
}

// GetCanary reads a canary with its newest answers.
//
// GET /api/v1/canaries/{name}, role viewer.
func (c *Client) GetCanary(ctx context.Context, req CanaryRequest) (*Canary, error) {
	return call[Canary](ctx, c, "GET", "/api/v1/canaries/{name}", req)
}

// PutCanary makes or changes a canary: a model that is asked fixed prompts through the door.
//
// PUT /api/v1/canaries/{name}, role developer or responder or security.
func (c *Client) PutCanary(ctx context.Context, req PutCanaryRequest) (*Canary, error) {
	return call[Canary](ctx, c, "PUT", "/api/v1/canaries/{name}", req)
}

// AcceptCanary says that what answers now is the new normal.
//
// POST /api/v1/canaries/{name}/accept, role developer or responder or security.
func (c *Client) AcceptCanary(ctx context.Context, req CanaryReasonRequest) (*Canary, error) {
	return call[Canary](ctx, c, "POST", "/api/v1/canaries/{name}/accept", req)
}

// AskCanary asks a canary's prompts now, before they are due.
//
// POST /api/v1/canaries/{name}/ask, role developer or responder or security.
func (c *Client) AskCanary(ctx context.Context, req CanaryReasonRequest) (*Canary, error) {
	return call[Canary](ctx, c, "POST", "/api/v1/canaries/{name}/ask", req)
}

// DeleteCanary drops a canary and its answers.
//
// DELETE /api/v1/canaries/{name}, role developer or responder or security.
func (c *Client) DeleteCanary(ctx context.Context, req DeleteCanaryRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/canaries/{name}", req)
	return err
}

// ListRunbooks lists what is done about incidents, step by step.
//
// GET /api/v1/runbooks, role viewer.
func (c *Client) ListRunbooks(ctx context.Context) (*List[Runbook], error) {
	return call[List[Runbook]](ctx, c, "GET", "/api/v1/runbooks", nil)
}

// PutRunbook makes or changes a runbook.
//
// PUT /api/v1/runbooks/{name}, role responder.
func (c *Client) PutRunbook(ctx context.Context, req PutRunbookRequest) (*Runbook, error) {
	return call[Runbook](ctx, c, "PUT", "/api/v1/runbooks/{name}", req)
}

// DeleteRunbook ends a runbook; its runs stay.
//
// DELETE /api/v1/runbooks/{name}, role responder.
func (c *Client) DeleteRunbook(ctx context.Context, req NameRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/runbooks/{name}", req)
	return err
}

// TryRunbook says what a runbook would do to an incident, without doing it.
//
// POST /api/v1/incidents/{id}/runbook-trials, role responder.
func (c *Client) TryRunbook(ctx context.Context, req TryRunbookRequest) (*RunbookTrial, error) {
	return call[RunbookTrial](ctx, c, "POST", "/api/v1/incidents/{id}/runbook-trials", req)
}

// ListRunbookRuns lists the runbooks that were run on an incident.
//
// GET /api/v1/incidents/{id}/runbook-runs, role viewer.
func (c *Client) ListRunbookRuns(ctx context.Context, req IncidentRequest) (*List[RunbookRun], error) {
	return call[List[RunbookRun]](ctx, c, "GET", "/api/v1/incidents/{id}/runbook-runs", req)
}

// ListWaitingRunbookRuns lists the runs of runbooks that wait for the asker's agreement.
//
// GET /api/v1/runbook-runs, role viewer.
func (c *Client) ListWaitingRunbookRuns(ctx context.Context) (*List[RunbookRun], error) {
	return call[List[RunbookRun]](ctx, c, "GET", "/api/v1/runbook-runs", nil)
}

// StartRunbook begins a runbook on an incident, or proposes it to a second person.
//
// POST /api/v1/incidents/{id}/runbook-runs, role responder.
func (c *Client) StartRunbook(ctx context.Context, req StartRunbookRequest) (*RunbookRun, error) {
	return call[RunbookRun](ctx, c, "POST", "/api/v1/incidents/{id}/runbook-runs", req)
}

// ApproveRunbook agrees to a runbook that somebody else proposed.
//
// POST /api/v1/runbook-runs/{id}/approve, role responder.
func (c *Client) ApproveRunbook(ctx context.Context, req RunbookRunRequest) (*RunbookRun, error) {
	return call[RunbookRun](ctx, c, "POST", "/api/v1/runbook-runs/{id}/approve", req)
}

// StepRunbook does the next step of a runbook.
//
// POST /api/v1/runbook-runs/{id}/step, role responder.
func (c *Client) StepRunbook(ctx context.Context, req RunbookRunRequest) (*RunbookRun, error) {
	return call[RunbookRun](ctx, c, "POST", "/api/v1/runbook-runs/{id}/step", req)
}

// RollBackRunbook takes back what a runbook did, the last first.
//
// POST /api/v1/runbook-runs/{id}/roll-back, role responder.
func (c *Client) RollBackRunbook(ctx context.Context, req RunbookRunRequest) (*RunbookRun, error) {
	return call[RunbookRun](ctx, c, "POST", "/api/v1/runbook-runs/{id}/roll-back", req)
}

// GetIncidentReviewPDF gives the review of an incident as a PDF.
//
// GET /api/v1/incidents/{id}/review-pdf, role viewer.
func (c *Client) GetIncidentReviewPDF(ctx context.Context, req IncidentRequest) (*IncidentReviewPDF, error) {
	return call[IncidentReviewPDF](ctx, c, "GET", "/api/v1/incidents/{id}/review-pdf", req)
}

// SplitCost adds up what was spent by call, run, session, user, team, agent, version, task, outcome, model, provider, environment, cost centre, day or month.
//
// GET /api/v1/cost/split, role viewer.
func (c *Client) SplitCost(ctx context.Context, req CostSplitRequest) (*CostSplit, error) {
	return call[CostSplit](ctx, c, "GET", "/api/v1/cost/split", req)
}

// ForecastCost says what the month will come to, with interval, beside budgets and findings about cost.
//
// GET /api/v1/cost/forecast, role viewer.
func (c *Client) ForecastCost(ctx context.Context, req CostScope) (*CostForecast, error) {
	return call[CostForecast](ctx, c, "GET", "/api/v1/cost/forecast", req)
}

// Dependency says what hangs on each provider, model and region, and what an outage would reach.
//
// GET /api/v1/cost/dependency, role viewer.
func (c *Client) Dependency(ctx context.Context, req CostScope) (*Dependency, error) {
	return call[Dependency](ctx, c, "GET", "/api/v1/cost/dependency", req)
}

// Savings lists what could have been saved, with figure and the runs that prove it.
//
// GET /api/v1/cost/savings, role viewer.
func (c *Client) Savings(ctx context.Context, req CostScope) (*Savings, error) {
	return call[Savings](ctx, c, "GET", "/api/v1/cost/savings", req)
}

// ListIdleAgents lists agents that nobody used.
//
// GET /api/v1/cost/idle-agents, role viewer.
func (c *Client) ListIdleAgents(ctx context.Context, req IdleRequest) (*List[IdleAgent], error) {
	return call[List[IdleAgent]](ctx, c, "GET", "/api/v1/cost/idle-agents", req)
}

// CostFile writes a month as a chargeback file or as FOCUS 1.2 (CSV).
//
// GET /api/v1/cost/file, role viewer.
func (c *Client) CostFile(ctx context.Context, req CostFileRequest) (*CostFile, error) {
	return call[CostFile](ctx, c, "GET", "/api/v1/cost/file", req)
}

// CostReport writes the report of a month, as Markdown and PDF.
//
// GET /api/v1/cost/report, role viewer.
func (c *Client) CostReport(ctx context.Context, req CostReportRequest) (*MonthlyReport, error) {
	return call[MonthlyReport](ctx, c, "GET", "/api/v1/cost/report", req)
}

// GetCostSettings reads currency, rates, zone, cost centres and what people's time costs.
//
// GET /api/v1/cost/settings, role viewer.
func (c *Client) GetCostSettings(ctx context.Context) (*CostSettings, error) {
	return call[CostSettings](ctx, c, "GET", "/api/v1/cost/settings", nil)
}

// SendCostReport mails a month's report now, with its PDF, to those whom the settings name.
//
// POST /api/v1/cost/report/send, role admin.
func (c *Client) SendCostReport(ctx context.Context, req SendCostReportRequest) (*CostSettings, error) {
	return call[CostSettings](ctx, c, "POST", "/api/v1/cost/report/send", req)
}

// PutCostSettings sets currency, rates, zone, cost centres and what people's time costs.
//
// PUT /api/v1/cost/settings, role admin.
func (c *Client) PutCostSettings(ctx context.Context, req CostSettings) (*CostSettings, error) {
	return call[CostSettings](ctx, c, "PUT", "/api/v1/cost/settings", req)
}

// GetReadiness says how far what agents read can be relied on: freshness, update frequency, errors, audits, coverage of what is asked.
//
// GET /api/v1/readiness, role viewer.
func (c *Client) GetReadiness(ctx context.Context, req ReadinessRequest) (*Readiness, error) {
	return call[Readiness](ctx, c, "GET", "/api/v1/readiness", req)
}

// ListUnanswered lists what was asked and not answered, the newest first, each with its run; the words are for who may read content.
//
// GET /api/v1/unanswered-questions, role viewer.
func (c *Client) ListUnanswered(ctx context.Context, req ListUnansweredRequest) (*List[UnansweredQuestion], error) {
	return call[List[UnansweredQuestion]](ctx, c, "GET", "/api/v1/unanswered-questions", req)
}

// ListSourceAudits lists audits of a source, the newest first.
//
// GET /api/v1/sources/{name}/audits, role viewer.
func (c *Client) ListSourceAudits(ctx context.Context, req SourceRequest) (*List[SourceAudit], error) {
	return call[List[SourceAudit]](ctx, c, "GET", "/api/v1/sources/{name}/audits", req)
}

// AuditSource holds answers from a source against the truth.
//
// POST /api/v1/sources/{name}/audits, role developer.
func (c *Client) AuditSource(ctx context.Context, req AuditSourceRequest) (*SourceAudit, error) {
	return call[SourceAudit](ctx, c, "POST", "/api/v1/sources/{name}/audits", req)
}

// GetAuditPlan reads how a source is audited by itself, by asking an agent.
//
// GET /api/v1/sources/{name}/audit-plan, role viewer.
func (c *Client) GetAuditPlan(ctx context.Context, req SourceRequest) (*AuditPlan, error) {
	return call[AuditPlan](ctx, c, "GET", "/api/v1/sources/{name}/audit-plan", req)
}

// PutAuditPlan has an agent asked sampled questions at times, as tests, and its answers held against the truth.
//
// PUT /api/v1/sources/{name}/audit-plan, role developer.
func (c *Client) PutAuditPlan(ctx context.Context, req PutAuditPlanRequest) (*AuditPlan, error) {
	return call[AuditPlan](ctx, c, "PUT", "/api/v1/sources/{name}/audit-plan", req)
}

// AskAuditPlan has the audit plan of a source ask now.
//
// POST /api/v1/sources/{name}/audit-plan/now, role developer.
func (c *Client) AskAuditPlan(ctx context.Context, req SourceRequest) (*AuditPlan, error) {
	return call[AuditPlan](ctx, c, "POST", "/api/v1/sources/{name}/audit-plan/now", req)
}

// DeleteAuditPlan ends the audit plan of a source; its audits stay.
//
// DELETE /api/v1/sources/{name}/audit-plan, role developer.
func (c *Client) DeleteAuditPlan(ctx context.Context, req SourceRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/sources/{name}/audit-plan", req)
	return err
}

// Different says what sets a selection of runs apart from the rest.
//
// POST /api/v1/runs/different, role viewer.
func (c *Client) Different(ctx context.Context, req DifferentRequest) (*Different, error) {
	return call[Different](ctx, c, "POST", "/api/v1/runs/different", req)
}

// ListSuspects ranks the steps at which a run may have gone wrong first.
//
// GET /api/v1/runs/{id}/suspects, role reader.
func (c *Client) ListSuspects(ctx context.Context, req RunRequest) (*Suspects, error) {
	return call[Suspects](ctx, c, "GET", "/api/v1/runs/{id}/suspects", req)
}

// JudgeSuspects names the step at which a run went wrong, from which the order of suspects learns, or takes that back.
//
// POST /api/v1/runs/{id}/suspects/judge, role developer or responder.
func (c *Client) JudgeSuspects(ctx context.Context, req JudgeSuspectsRequest) (*Suspects, error) {
	return call[Suspects](ctx, c, "POST", "/api/v1/runs/{id}/suspects/judge", req)
}

// ListSuspectVerdicts lists the steps that people named, and what the order of suspects learned of them by team.
//
// GET /api/v1/suspect-verdicts, role reader.
func (c *Client) ListSuspectVerdicts(ctx context.Context, req ListSuspectVerdictsRequest) (*SuspectVerdicts, error) {
	return call[SuspectVerdicts](ctx, c, "GET", "/api/v1/suspect-verdicts", req)
}

// ListProbablyFailed lists runs of an agent that nobody judged by how likely each has failed, learned from its judged ones.
//
// GET /api/v1/probably-failed, role reader.
func (c *Client) ListProbablyFailed(ctx context.Context, req ListProbablyFailedRequest) (*ProbablyFailed, error) {
	return call[ProbablyFailed](ctx, c, "GET", "/api/v1/probably-failed", req)
}

// GetRunWhy says why a run ended as it did: likely causes with their evidence, and what is unknown; format=prov exports it as W3C PROV-JSON.
//
// GET /api/v1/runs/{id}/why, role viewer.
func (c *Client) GetRunWhy(ctx context.Context, req WhyRequest) (*Why, error) {
	return call[Why](ctx, c, "GET", "/api/v1/runs/{id}/why", req)
}

// GetIncidentWhy says why an incident came about, by its runs and by what its agents stand on.
//
// GET /api/v1/incidents/{id}/why, role viewer.
func (c *Client) GetIncidentWhy(ctx context.Context, req IncidentRequest) (*IncidentWhy, error) {
	return call[IncidentWhy](ctx, c, "GET", "/api/v1/incidents/{id}/why", req)
}

// GetMap tells who depends on what: agents, tools, models, servers and sources, as they were observed.
//
// GET /api/v1/map, role viewer.
func (c *Client) GetMap(ctx context.Context, req MapRequest) (*Map, error) {
	return call[Map](ctx, c, "GET", "/api/v1/map", req)
}

// GetBlast tells what a node of the map would take down: agents, runs, users, cost, and what is open there.
//
// GET /api/v1/map/blast, role viewer.
func (c *Client) GetBlast(ctx context.Context, req BlastRequest) (*Blast, error) {
	return call[Blast](ctx, c, "GET", "/api/v1/map/blast", req)
}

// ListBackups lists backups, the newest first, and when a restore was last tried.
//
// GET /api/v1/backups, role viewer.
func (c *Client) ListBackups(ctx context.Context) (*Backups, error) {
	return call[Backups](ctx, c, "GET", "/api/v1/backups", nil)
}

// MakeBackup makes a backup of everything into the folder of backups.
//
// POST /api/v1/backups, role admin.
func (c *Client) MakeBackup(ctx context.Context) (*Backup, error) {
	return call[Backup](ctx, c, "POST", "/api/v1/backups", nil)
}

// TryBackup restores a backup on trial and checks its records; nothing of it stays.
//
// POST /api/v1/backups/{id}/try, role admin.
func (c *Client) TryBackup(ctx context.Context, req BackupRequest) (*BackupTrial, error) {
	return call[BackupTrial](ctx, c, "POST", "/api/v1/backups/{id}/try", req)
}

// GetRetention tells how long telemetry is kept, by environment, team and kind.
//
// GET /api/v1/retention, role viewer.
func (c *Client) GetRetention(ctx context.Context) (*Retention, error) {
	return call[Retention](ctx, c, "GET", "/api/v1/retention", nil)
}

// PreviewRetention counts what a rule of retention would drop; nothing changes.
//
// POST /api/v1/retention/preview, role admin.
func (c *Client) PreviewRetention(ctx context.Context, req PutRetentionRequest) (*RetentionPreview, error) {
	return call[RetentionPreview](ctx, c, "POST", "/api/v1/retention/preview", req)
}

// PutRetention says how long something is kept; what is older goes within the hour, for good.
//
// PUT /api/v1/retention, role admin.
func (c *Client) PutRetention(ctx context.Context, req PutRetentionRequest) (*Retention, error) {
	return call[Retention](ctx, c, "PUT", "/api/v1/retention", req)
}

// DeleteRetention drops a rule of retention; the less specific one holds again.
//
// DELETE /api/v1/retention, role admin.
func (c *Client) DeleteRetention(ctx context.Context, req DeleteRetentionRequest) (*Retention, error) {
	return call[Retention](ctx, c, "DELETE", "/api/v1/retention", req)
}

// ListErasures lists the receipts of erasures, the newest first.
//
// GET /api/v1/erasures, role admin.
func (c *Client) ListErasures(ctx context.Context) (*List[Erasure], error) {
	return call[List[Erasure]](ctx, c, "GET", "/api/v1/erasures", nil)
}

// ErasePerson erases what every part holds of a user of agents, of a session or of a run, or with dry_run tells what that is.
//
// POST /api/v1/erasures, role admin.
func (c *Client) ErasePerson(ctx context.Context, req ErasePersonRequest) (*Erasure, error) {
	return call[Erasure](ctx, c, "POST", "/api/v1/erasures", req)
}

// ListConnections lists the other systems that Reeve speaks to, and whether each works, those that fail first.
//
// GET /api/v1/connections, role viewer.
func (c *Client) ListConnections(ctx context.Context) (*OtherSystems, error) {
	return call[OtherSystems](ctx, c, "GET", "/api/v1/connections", nil)
}

// ListComplianceFrameworks lists mappings of controls to evidence, with what they came to last.
//
// GET /api/v1/compliance-frameworks, role auditor.
func (c *Client) ListComplianceFrameworks(ctx context.Context) (*List[ComplianceFramework], error) {
	return call[List[ComplianceFramework]](ctx, c, "GET", "/api/v1/compliance-frameworks", nil)
}

// GetComplianceFramework reads a mapping.
//
// GET /api/v1/compliance-frameworks/{id}, role auditor.
func (c *Client) GetComplianceFramework(ctx context.Context, req ComplianceFrameworkRequest) (*ComplianceFramework, error) {
	return call[ComplianceFramework](ctx, c, "GET", "/api/v1/compliance-frameworks/{id}", req)
}

// PutComplianceFramework makes a mapping of one's own, or changes it.
//
// PUT /api/v1/compliance-frameworks/{id}, role security.
func (c *Client) PutComplianceFramework(ctx context.Context, req PutComplianceFrameworkRequest) (*ComplianceFramework, error) {
	return call[ComplianceFramework](ctx, c, "PUT", "/api/v1/compliance-frameworks/{id}", req)
}

// DeleteComplianceFramework removes a mapping of one's own; assessments stay.
//
// DELETE /api/v1/compliance-frameworks/{id}, role security.
func (c *Client) DeleteComplianceFramework(ctx context.Context, req ComplianceFrameworkRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/compliance-frameworks/{id}", req)
	return err
}

// AssessCompliance asks all questions of a framework over a period and keeps what they came to.
//
// POST /api/v1/compliance-frameworks/{id}/assess, role auditor.
func (c *Client) AssessCompliance(ctx context.Context, req AssessComplianceRequest) (*ComplianceAssessment, error) {
	return call[ComplianceAssessment](ctx, c, "POST", "/api/v1/compliance-frameworks/{id}/assess", req)
}

// PutComplianceSchedule has a framework assessed by itself every so many days; 0 ends it.
//
// PUT /api/v1/compliance-frameworks/{id}/schedule, role auditor.
func (c *Client) PutComplianceSchedule(ctx context.Context, req PutComplianceScheduleRequest) error {
	_, err := call[struct{}](ctx, c, "PUT", "/api/v1/compliance-frameworks/{id}/schedule", req)
	return err
}

// ListComplianceAssessments lists assessments, the newest first.
//
// GET /api/v1/compliance-assessments, role auditor.
func (c *Client) ListComplianceAssessments(ctx context.Context, req ListComplianceAssessmentsRequest) (*List[ComplianceAssessment], error) {
	return call[List[ComplianceAssessment]](ctx, c, "GET", "/api/v1/compliance-assessments", req)
}

// GetComplianceAssessment reads an assessment with its controls and their evidence.
//
// GET /api/v1/compliance-assessments/{id}, role auditor.
func (c *Client) GetComplianceAssessment(ctx context.Context, req ComplianceAssessmentRequest) (*ComplianceAssessment, error) {
	return call[ComplianceAssessment](ctx, c, "GET", "/api/v1/compliance-assessments/{id}", req)
}

// ExportCompliance gives the evidence of an assessment as a zip whose manifest the audit log's keys sign.
//
// GET /api/v1/compliance-assessments/{id}/pack, role auditor.
func (c *Client) ExportCompliance(ctx context.Context, req ComplianceAssessmentRequest) (*CompliancePack, error) {
	return call[CompliancePack](ctx, c, "GET", "/api/v1/compliance-assessments/{id}/pack", req)
}

// ListRuns lists runs, the newest first, those still running included.
//
// GET /api/v1/runs, role viewer.
func (c *Client) ListRuns(ctx context.Context, req ListRunsRequest) (*List[Run], error) {
	return call[List[Run]](ctx, c, "GET", "/api/v1/runs", req)
}

// GetRun reads a run.
//
// GET /api/v1/runs/{id}, role viewer.
func (c *Client) GetRun(ctx context.Context, req RunRequest) (*Run, error) {
	return call[Run](ctx, c, "GET", "/api/v1/runs/{id}", req)
}

// ListSteps lists the steps of a run by start time, light or with content.
//
// GET /api/v1/runs/{id}/steps, role viewer.
func (c *Client) ListSteps(ctx context.Context, req ListStepsRequest) (*List[Step], error) {
	return call[List[Step]](ctx, c, "GET", "/api/v1/runs/{id}/steps", req)
}

// GetStep reads a step with its attributes and, for readers, its content.
//
// GET /api/v1/runs/{id}/steps/{step}, role viewer.
func (c *Client) GetStep(ctx context.Context, req StepRequest) (*Step, error) {
	return call[Step](ctx, c, "GET", "/api/v1/runs/{id}/steps/{step}", req)
}

// ListMessages lists the distinct messages of a run in the order they first appeared.
//
// GET /api/v1/runs/{id}/messages, role reader.
func (c *Client) ListMessages(ctx context.Context, req ListMessagesRequest) (*List[Message], error) {
	return call[List[Message]](ctx, c, "GET", "/api/v1/runs/{id}/messages", req)
}

// ListRunLogs lists the log records of a run, or those of its agent around it that name no run, the newest first.
//
// GET /api/v1/runs/{id}/logs, role viewer.
func (c *Client) ListRunLogs(ctx context.Context, req ListRunLogsRequest) (*List[Log], error) {
	return call[List[Log]](ctx, c, "GET", "/api/v1/runs/{id}/logs", req)
}

// ListRunMetrics lists the metric points of a run's agent around the run.
//
// GET /api/v1/runs/{id}/metrics, role viewer.
func (c *Client) ListRunMetrics(ctx context.Context, req RunMetricsRequest) (*List[MetricPoint], error) {
	return call[List[MetricPoint]](ctx, c, "GET", "/api/v1/runs/{id}/metrics", req)
}

// ListSessions lists sessions, the last active first.
//
// GET /api/v1/sessions, role viewer.
func (c *Client) ListSessions(ctx context.Context, req ListSessionsRequest) (*List[Session], error) {
	return call[List[Session]](ctx, c, "GET", "/api/v1/sessions", req)
}

// ListLogs lists log records, the newest first.
//
// GET /api/v1/logs, role viewer.
func (c *Client) ListLogs(ctx context.Context, req ListLogsRequest) (*List[Log], error) {
	return call[List[Log]](ctx, c, "GET", "/api/v1/logs", req)
}

// ListMetricPoints lists metric points, the newest first.
//
// GET /api/v1/metric-points, role viewer.
func (c *Client) ListMetricPoints(ctx context.Context, req ListMetricPointsRequest) (*List[MetricPoint], error) {
	return call[List[MetricPoint]](ctx, c, "GET", "/api/v1/metric-points", req)
}

// GetSteering reads what people do about a run while it goes on: who holds it, what they said.
//
// GET /api/v1/runs/{id}/steering, role reader or responder.
func (c *Client) GetSteering(ctx context.Context, req RunRequest) (*Steering, error) {
	return call[Steering](ctx, c, "GET", "/api/v1/runs/{id}/steering", req)
}

// HoldRun makes each further call of a run wait for a person.
//
// POST /api/v1/runs/{id}/hold, role responder.
func (c *Client) HoldRun(ctx context.Context, req HoldRunRequest) (*Steering, error) {
	return call[Steering](ctx, c, "POST", "/api/v1/runs/{id}/hold", req)
}

// ReleaseRun lets a held run go on.
//
// POST /api/v1/runs/{id}/release, role responder.
func (c *Client) ReleaseRun(ctx context.Context, req ReleaseRunRequest) (*Steering, error) {
	return call[Steering](ctx, c, "POST", "/api/v1/runs/{id}/release", req)
}

// TellRun says something to a run's model, with its next call or with each.
//
// POST /api/v1/runs/{id}/notes, role responder.
func (c *Client) TellRun(ctx context.Context, req TellRunRequest) (*Steering, error) {
	return call[Steering](ctx, c, "POST", "/api/v1/runs/{id}/notes", req)
}

// WithdrawRunNote ends a note that may still be told.
//
// DELETE /api/v1/runs/{id}/notes/{note}, role responder.
func (c *Client) WithdrawRunNote(ctx context.Context, req WithdrawRunNoteRequest) (*Steering, error) {
	return call[Steering](ctx, c, "DELETE", "/api/v1/runs/{id}/notes/{note}", req)
}

// ListRunDecisions lists the decisions of a run, the newest first, pending ones included.
//
// GET /api/v1/runs/{id}/decisions, role viewer.
func (c *Client) ListRunDecisions(ctx context.Context, req ListRunDecisionsRequest) (*List[Decision], error) {
	return call[List[Decision]](ctx, c, "GET", "/api/v1/runs/{id}/decisions", req)
}

// ReplayRun puts a recorded model step to another model or prompt; calls of tools are those of the recording, and the first other one ends it.
//
// POST /api/v1/runs/{id}/replay, role developer.
func (c *Client) ReplayRun(ctx context.Context, req ReplayRunRequest) (*Replay, error) {
	return call[Replay](ctx, c, "POST", "/api/v1/runs/{id}/replay", req)
}

// ListDecisions lists decisions, the newest first, pending ones included.
//
// GET /api/v1/decisions, role viewer.
func (c *Client) ListDecisions(ctx context.Context, req ListDecisionsRequest) (*List[Decision], error) {
	return call[List[Decision]](ctx, c, "GET", "/api/v1/decisions", req)
}

// EraseUser erases a user's name and the content of decisions made for them; the records stay.
//
// POST /api/v1/decisions/erase, role admin.
func (c *Client) EraseUser(ctx context.Context, req EraseUserRequest) (*ErasedUser, error) {
	return call[ErasedUser](ctx, c, "POST", "/api/v1/decisions/erase", req)
}

// DecisionReceipt proves a decision's records to whoever has the public key.
//
// GET /api/v1/decisions/{id}/receipt, role viewer.
func (c *Client) DecisionReceipt(ctx context.Context, req IDRequest) (*DecisionReceipt, error) {
	return call[DecisionReceipt](ctx, c, "GET", "/api/v1/decisions/{id}/receipt", req)
}

// ListAuditKeys lists the public keys that sign checkpoints of the audit log.
//
// GET /api/v1/audit/keys, role public.
func (c *Client) ListAuditKeys(ctx context.Context) (*List[AuditKey], error) {
	return call[List[AuditKey]](ctx, c, "GET", "/api/v1/audit/keys", nil)
}

// RotateAuditKey makes a new key for checkpoints, vouched for by the old one.
//
// POST /api/v1/audit/keys/rotate, role security.
func (c *Client) RotateAuditKey(ctx context.Context, req RotateAuditKeyRequest) (*List[AuditKey], error) {
	return call[List[AuditKey]](ctx, c, "POST", "/api/v1/audit/keys/rotate", req)
}

// ListAuditCheckpoints lists the newest checkpoint of each log.
//
// GET /api/v1/audit/checkpoints, role auditor.
func (c *Client) ListAuditCheckpoints(ctx context.Context) (*List[AuditCheckpoint], error) {
	return call[List[AuditCheckpoint]](ctx, c, "GET", "/api/v1/audit/checkpoints", nil)
}

// ListSIEMTargets lists where records stream to, and how that goes.
//
// GET /api/v1/siem, role auditor.
func (c *Client) ListSIEMTargets(ctx context.Context) (*List[SIEMTarget], error) {
	return call[List[SIEMTarget]](ctx, c, "GET", "/api/v1/siem", nil)
}

// ListRelays lists where telemetry is forwarded to, and how that goes.
//
// GET /api/v1/relay, role viewer.
func (c *Client) ListRelays(ctx context.Context) (*List[RelayDestination], error) {
	return call[List[RelayDestination]](ctx, c, "GET", "/api/v1/relay", nil)
}

// GetRelay reads a relay destination.
//
// GET /api/v1/relay/{name}, role viewer.
func (c *Client) GetRelay(ctx context.Context, req RelayRequest) (*RelayDestination, error) {
	return call[RelayDestination](ctx, c, "GET", "/api/v1/relay/{name}", req)
}

// PutRelay makes or replaces a relay destination; a new one begins with what arrives from now on.
//
// PUT /api/v1/relay/{name}, role security.
func (c *Client) PutRelay(ctx context.Context, req PutRelayRequest) (*RelayDestination, error) {
	return call[RelayDestination](ctx, c, "PUT", "/api/v1/relay/{name}", req)
}

// DeleteRelay forgets a relay destination and what it does not have yet.
//
// DELETE /api/v1/relay/{name}, role security.
func (c *Client) DeleteRelay(ctx context.Context, req RelayRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/relay/{name}", req)
	return err
}

// PauseRelay stops forwarding to a destination; what arrives waits as long as the queue has room.
//
// POST /api/v1/relay/{name}/pause, role security.
func (c *Client) PauseRelay(ctx context.Context, req RelayRequest) (*RelayDestination, error) {
	return call[RelayDestination](ctx, c, "POST", "/api/v1/relay/{name}/pause", req)
}

// ResumeRelay goes on forwarding to a destination where it was.
//
// POST /api/v1/relay/{name}/resume, role security.
func (c *Client) ResumeRelay(ctx context.Context, req RelayRequest) (*RelayDestination, error) {
	return call[RelayDestination](ctx, c, "POST", "/api/v1/relay/{name}/resume", req)
}

// ListPollers lists the systems that are asked for records of agents, and how that goes.
//
// GET /api/v1/pollers, role viewer.
func (c *Client) ListPollers(ctx context.Context) (*List[Poller], error) {
	return call[List[Poller]](ctx, c, "GET", "/api/v1/pollers", nil)
}

// GetPoller reads a poller.
//
// GET /api/v1/pollers/{name}, role viewer.
func (c *Client) GetPoller(ctx context.Context, req PollerRequest) (*Poller, error) {
	return call[Poller](ctx, c, "GET", "/api/v1/pollers/{name}", req)
}

// PutPoller makes or replaces a poller; what was read stays read.
//
// PUT /api/v1/pollers/{name}, role security.
func (c *Client) PutPoller(ctx context.Context, req PutPollerRequest) (*Poller, error) {
	return call[Poller](ctx, c, "PUT", "/api/v1/pollers/{name}", req)
}

// DeletePoller forgets a poller; its runs stay.
//
// DELETE /api/v1/pollers/{name}, role security.
func (c *Client) DeletePoller(ctx context.Context, req PollerRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/pollers/{name}", req)
	return err
}

// PausePoller stops a poller for now.
//
// POST /api/v1/pollers/{name}/pause, role security.
func (c *Client) PausePoller(ctx context.Context, req PollerRequest) (*Poller, error) {
	return call[Poller](ctx, c, "POST", "/api/v1/pollers/{name}/pause", req)
}

// ResumePoller goes on polling where it was.
//
// POST /api/v1/pollers/{name}/resume, role security.
func (c *Client) ResumePoller(ctx context.Context, req PollerRequest) (*Poller, error) {
	return call[Poller](ctx, c, "POST", "/api/v1/pollers/{name}/resume", req)
}

// PollNow wakes a poller before its time.
//
// POST /api/v1/pollers/{name}/poll, role developer.
func (c *Client) PollNow(ctx context.Context, req PollerRequest) (*Poller, error) {
	return call[Poller](ctx, c, "POST", "/api/v1/pollers/{name}/poll", req)
}

// TestPoller asks a poller's system for a first page and keeps nothing of it.
//
// POST /api/v1/pollers/{name}/test, role security.
func (c *Client) TestPoller(ctx context.Context, req PollerRequest) (*PollerTest, error) {
	return call[PollerTest](ctx, c, "POST", "/api/v1/pollers/{name}/test", req)
}

// TestRelay sends one span of Reeve's own to a destination and says how that went.
//
// POST /api/v1/relay/{name}/test, role security.
func (c *Client) TestRelay(ctx context.Context, req RelayRequest) (*RelayTest, error) {
	return call[RelayTest](ctx, c, "POST", "/api/v1/relay/{name}/test", req)
}

// VerifyAudit walks both logs and says whether they hold.
//
// GET /api/v1/audit/verify, role auditor.
func (c *Client) VerifyAudit(ctx context.Context) (*AuditVerification, error) {
	return call[AuditVerification](ctx, c, "GET", "/api/v1/audit/verify", nil)
}

// Decide decides and records an action that does not pass the door; who asks acts by the answer.
//
// POST /api/v1/decisions, role developer.
func (c *Client) Decide(ctx context.Context, req DecideRequest) (*DecisionAnswer, error) {
	return call[DecisionAnswer](ctx, c, "POST", "/api/v1/decisions", req)
}

// AwaitDecision tells how a held action stands, or waits for it.
//
// GET /api/v1/decisions/{id}/answer, role developer.
func (c *Client) AwaitDecision(ctx context.Context, req AwaitDecisionRequest) (*DecisionAnswer, error) {
	return call[DecisionAnswer](ctx, c, "GET", "/api/v1/decisions/{id}/answer", req)
}

// CompleteDecision reports how an action ended that was allowed and did not pass the door.
//
// POST /api/v1/decisions/{id}/complete, role developer.
func (c *Client) CompleteDecision(ctx context.Context, req CompleteDecisionRequest) (*CompletedDecision, error) {
	return call[CompletedDecision](ctx, c, "POST", "/api/v1/decisions/{id}/complete", req)
}

// ListCoverage lists how much of what agents do was decided, the least covered first.
//
// GET /api/v1/coverage, role viewer.
func (c *Client) ListCoverage(ctx context.Context, req ListCoverageRequest) (*List[AgentCoverage], error) {
	return call[List[AgentCoverage]](ctx, c, "GET", "/api/v1/coverage", req)
}

// GetDecision reads a decision and, for readers, the request that was decided.
//
// GET /api/v1/decisions/{id}, role viewer.
func (c *Client) GetDecision(ctx context.Context, req IDRequest) (*Decision, error) {
	return call[Decision](ctx, c, "GET", "/api/v1/decisions/{id}", req)
}

// Query answers an aggregate question over runs, steps, decisions, messages or logs.
//
// POST /api/v1/query, role viewer.
func (c *Client) Query(ctx context.Context, req Query) (*QueryResult, error) {
	return call[QueryResult](ctx, c, "POST", "/api/v1/query", req)
}

// SearchFields lists the fields of the search language with their known values.
//
// GET /api/v1/search/fields, role viewer.
func (c *Client) SearchFields(ctx context.Context, req SearchFieldsRequest) (*SearchFields, error) {
	return call[SearchFields](ctx, c, "GET", "/api/v1/search/fields", req)
}

// CompleteSearch proposes how a search could go on.
//
// GET /api/v1/search/complete, role viewer.
func (c *Client) CompleteSearch(ctx context.Context, req CompleteSearchRequest) (*List[SearchSuggestion], error) {
	return call[List[SearchSuggestion]](ctx, c, "GET", "/api/v1/search/complete", req)
}

// ListAgentMarks answers how each agent stands: objective, behaviour, data, identity and cost, with the reasons.
//
// GET /api/v1/agent-marks, role viewer.
func (c *Client) ListAgentMarks(ctx context.Context, req ListAgentMarksRequest) (*List[AgentMarks], error) {
	return call[List[AgentMarks]](ctx, c, "GET", "/api/v1/agent-marks", req)
}

// OverviewBroken says of the incidents that need a person what was changed before each, and what its runs cost.
//
// GET /api/v1/overview/broken, role viewer.
func (c *Client) OverviewBroken(ctx context.Context, req OverviewBrokenRequest) (*OverviewBroken, error) {
	return call[OverviewBroken](ctx, c, "GET", "/api/v1/overview/broken", req)
}

// Overview answers whether the agents help and what needs a person.
//
// GET /api/v1/overview, role viewer.
func (c *Client) Overview(ctx context.Context, req OverviewRequest) (*Overview, error) {
	return call[Overview](ctx, c, "GET", "/api/v1/overview", req)
}

// Health tells how Reeve itself is.
//
// GET /api/v1/health, role signed_in.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	return call[Health](ctx, c, "GET", "/api/v1/health", nil)
}

// Notices lists what everybody should know, with buttons.
//
// GET /api/v1/notices, role public.
func (c *Client) Notices(ctx context.Context) (*List[Notice], error) {
	return call[List[Notice]](ctx, c, "GET", "/api/v1/notices", nil)
}

// OpenAPI describes this API.
//
// GET /api/v1/openapi.json, role public.
func (c *Client) OpenAPI(ctx context.Context) (*map[string]any, error) {
	return call[map[string]any](ctx, c, "GET", "/api/v1/openapi.json", nil)
}

// ListAgents lists registered agents by name.
//
// GET /api/v1/agents, role viewer.
func (c *Client) ListAgents(ctx context.Context, req ListAgentsRequest) (*List[Agent], error) {
	return call[List[Agent]](ctx, c, "GET", "/api/v1/agents", req)
}

// CreateAgent registers an agent as draft or pilot.
//
// POST /api/v1/agents, role developer or security.
func (c *Client) CreateAgent(ctx context.Context, req CreateAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents", req)
}

// GetAgent reads a registered agent.
//
// GET /api/v1/agents/{name}, role viewer.
func (c *Client) GetAgent(ctx context.Context, req AgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "GET", "/api/v1/agents/{name}", req)
}

// UpdateAgent changes an agent.
//
// PATCH /api/v1/agents/{name}, role developer or security.
func (c *Client) UpdateAgent(ctx context.Context, req UpdateAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "PATCH", "/api/v1/agents/{name}", req)
}

// PromoteAgent takes an agent a step along its lifecycle, or back; into production needs security and the gate.
//
// POST /api/v1/agents/{name}/promote, role developer or security.
func (c *Client) PromoteAgent(ctx context.Context, req PromoteAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/promote", req)
}

// ContainAgent narrows what an agent may do, until a time or until it is released.
//
// POST /api/v1/agents/{name}/contain, role responder or security.
func (c *Client) ContainAgent(ctx context.Context, req ContainAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/contain", req)
}

// PinAgent holds an agent to one model in place of another, or to one version.
//
// POST /api/v1/agents/{name}/pin, role responder or developer or security.
func (c *Client) PinAgent(ctx context.Context, req PinAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/pin", req)
}

// UnpinAgent takes a pin of an agent out.
//
// POST /api/v1/agents/{name}/unpin, role responder or developer or security.
func (c *Client) UnpinAgent(ctx context.Context, req UnpinAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/unpin", req)
}

// ReleaseAgent ends a containment; it revives no credential; from quarantine a second person confirms it.
//
// POST /api/v1/agents/{name}/release, role security.
func (c *Client) ReleaseAgent(ctx context.Context, req AgentReasonRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/release", req)
}

// RetireAgent ends an agent for good, and its keys with it; its name is never used again.
//
// POST /api/v1/agents/{name}/retire, role security.
func (c *Client) RetireAgent(ctx context.Context, req AgentReasonRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/retire", req)
}

// MergeAgent says that an agent is another registered one, which takes its names and telemetry; its credentials die.
//
// POST /api/v1/agents/{name}/merge, role developer or security.
func (c *Client) MergeAgent(ctx context.Context, req MergeAgentRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/merge", req)
}

// UnmergeAgent takes a merge back; the agent needs new credentials.
//
// POST /api/v1/agents/{name}/unmerge, role developer or security.
func (c *Client) UnmergeAgent(ctx context.Context, req AgentReasonRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/unmerge", req)
}

// ListAgentKeys lists the keys of an agent, the newest first.
//
// GET /api/v1/agents/{name}/keys, role developer or responder or security or auditor.
func (c *Client) ListAgentKeys(ctx context.Context, req AgentRequest) (*List[AgentKey], error) {
	return call[List[AgentKey]](ctx, c, "GET", "/api/v1/agents/{name}/keys", req)
}

// CreateAgentKey makes a key of an agent; its text is shown once.
//
// POST /api/v1/agents/{name}/keys, role developer or security.
func (c *Client) CreateAgentKey(ctx context.Context, req CreateAgentKeyRequest) (*AgentKey, error) {
	return call[AgentKey](ctx, c, "POST", "/api/v1/agents/{name}/keys", req)
}

// RevokeAgentKey ends a key of an agent.
//
// DELETE /api/v1/agents/{name}/keys/{id}, role developer or responder or security.
func (c *Client) RevokeAgentKey(ctx context.Context, req AgentKeyRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/agents/{name}/keys/{id}", req)
	return err
}

// LeakedKey ends a key or token of Reeve by its text, or a list of them as GitHub reports leaked ones to partners: who holds it may; the answer never says whether it lived.
//
// POST /api/v1/keys/leaked, role public.
func (c *Client) LeakedKey(ctx context.Context, req LeakedKeyRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/keys/leaked", req)
	return err
}

// MatchAgent says which registered agent telemetry would be matched to, and by which rule.
//
// GET /api/v1/match-agent, role viewer.
func (c *Client) MatchAgent(ctx context.Context, req MatchAgentRequest) (*AgentMatch, error) {
	return call[AgentMatch](ctx, c, "GET", "/api/v1/match-agent", req)
}

// ListAgentClaims lists the names under which an agent's telemetry came, each with the rule that matched it.
//
// GET /api/v1/agents/{name}/claims, role viewer.
func (c *Client) ListAgentClaims(ctx context.Context, req AgentRequest) (*List[AgentMatch], error) {
	return call[List[AgentMatch]](ctx, c, "GET", "/api/v1/agents/{name}/claims", req)
}

// AgentSummary answers whether an agent may go on, with what its page shows first.
//
// GET /api/v1/agents/{name}/summary, role viewer.
func (c *Client) AgentSummary(ctx context.Context, req AgentRequest) (*AgentSummary, error) {
	return call[AgentSummary](ctx, c, "GET", "/api/v1/agents/{name}/summary", req)
}

// AgentTimeline lists what happened to an agent: changes, versions, keys, waivers, the newest first.
//
// GET /api/v1/agents/{name}/timeline, role viewer.
func (c *Client) AgentTimeline(ctx context.Context, req AgentRequest) (*List[AgentEvent], error) {
	return call[List[AgentEvent]](ctx, c, "GET", "/api/v1/agents/{name}/timeline", req)
}

// ListAgentRevisions lists what people set of an agent, with author and reason, the newest first.
//
// GET /api/v1/agents/{name}/revisions, role viewer.
func (c *Client) ListAgentRevisions(ctx context.Context, req AgentRequest) (*List[AgentRevision], error) {
	return call[List[AgentRevision]](ctx, c, "GET", "/api/v1/agents/{name}/revisions", req)
}

// ListAgentVersions lists what an agent was observed to be made of, the newest first.
//
// GET /api/v1/agents/{name}/versions, role viewer.
func (c *Client) ListAgentVersions(ctx context.Context, req AgentRequest) (*List[AgentVersion], error) {
	return call[List[AgentVersion]](ctx, c, "GET", "/api/v1/agents/{name}/versions", req)
}

// ApproveAgentVersion says that a version is what the agent should be.
//
// POST /api/v1/agents/{name}/versions/{hash}/approve, role developer or security.
func (c *Client) ApproveAgentVersion(ctx context.Context, req ApproveVersionRequest) (*AgentVersion, error) {
	return call[AgentVersion](ctx, c, "POST", "/api/v1/agents/{name}/versions/{hash}/approve", req)
}

// AgentInventory lists what an agent was observed to use; format=cyclonedx gives a bill of materials.
//
// GET /api/v1/agents/{name}/inventory, role viewer.
func (c *Client) AgentInventory(ctx context.Context, req InventoryRequest) (*Inventory, error) {
	return call[Inventory](ctx, c, "GET", "/api/v1/agents/{name}/inventory", req)
}

// AgentInventoryChanges compares what an agent used in the days up to two dates.
//
// GET /api/v1/agents/{name}/inventory/changes, role viewer.
func (c *Client) AgentInventoryChanges(ctx context.Context, req InventoryChangesRequest) (*List[InventoryChange], error) {
	return call[List[InventoryChange]](ctx, c, "GET", "/api/v1/agents/{name}/inventory/changes", req)
}

// ApproveAgentPart says that a part of an agent is known, or no longer.
//
// POST /api/v1/agents/{name}/inventory/approve, role developer or security.
func (c *Client) ApproveAgentPart(ctx context.Context, req ApprovePartRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/agents/{name}/inventory/approve", req)
	return err
}

// GetStandard reads the standard that agents keep to.
//
// GET /api/v1/standard, role viewer.
func (c *Client) GetStandard(ctx context.Context) (*Standard, error) {
	return call[Standard](ctx, c, "GET", "/api/v1/standard", nil)
}

// Conformance counts by team how many agents keep to the standard.
//
// GET /api/v1/standard/conformance, role viewer.
func (c *Client) Conformance(ctx context.Context) (*Conformance, error) {
	return call[Conformance](ctx, c, "GET", "/api/v1/standard/conformance", nil)
}

// ListWaivers lists the waivers that hold, the first to end first.
//
// GET /api/v1/standard/waivers, role viewer.
func (c *Client) ListWaivers(ctx context.Context) (*List[Waiver], error) {
	return call[List[Waiver]](ctx, c, "GET", "/api/v1/standard/waivers", nil)
}

// WaiveStandard lets an agent break a rule of the standard until a date.
//
// POST /api/v1/agents/{name}/waivers, role security.
func (c *Client) WaiveStandard(ctx context.Context, req WaiveRequest) (*Waiver, error) {
	return call[Waiver](ctx, c, "POST", "/api/v1/agents/{name}/waivers", req)
}

// EndWaiver ends a waiver.
//
// DELETE /api/v1/agents/{name}/waivers/{rule}, role security.
func (c *Client) EndWaiver(ctx context.Context, req WaiverRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/agents/{name}/waivers/{rule}", req)
	return err
}

// AdoptAgents registers unknown agents together, in observe.
//
// POST /api/v1/agents/adopt, role developer or security.
func (c *Client) AdoptAgents(ctx context.Context, req AdoptAgentsRequest) (*Adoption, error) {
	return call[Adoption](ctx, c, "POST", "/api/v1/agents/adopt", req)
}

// ListUnknownAgents lists agents that were seen and are not registered, the last seen first.
//
// GET /api/v1/unknown-agents, role viewer.
func (c *Client) ListUnknownAgents(ctx context.Context, req ListUnknownAgentsRequest) (*List[UnknownAgent], error) {
	return call[List[UnknownAgent]](ctx, c, "GET", "/api/v1/unknown-agents", req)
}

// GetUnknownAgent reads an unknown agent with its first evidence.
//
// GET /api/v1/unknown-agents/{id}, role viewer.
func (c *Client) GetUnknownAgent(ctx context.Context, req UnknownAgentRequest) (*UnknownAgent, error) {
	return call[UnknownAgent](ctx, c, "GET", "/api/v1/unknown-agents/{id}", req)
}

// RegisterUnknownAgent registers an unknown agent as a pilot in observe.
//
// POST /api/v1/unknown-agents/{id}/register, role developer or security.
func (c *Client) RegisterUnknownAgent(ctx context.Context, req RegisterUnknownRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/unknown-agents/{id}/register", req)
}

// MergeUnknownAgent makes an unknown agent a registered one, by an alias.
//
// POST /api/v1/unknown-agents/{id}/merge, role developer or security.
func (c *Client) MergeUnknownAgent(ctx context.Context, req MergeUnknownRequest) (*UnknownAgent, error) {
	return call[UnknownAgent](ctx, c, "POST", "/api/v1/unknown-agents/{id}/merge", req)
}

// BlockUnknownAgent refuses at the door whoever calls itself by an unknown agent's name.
//
// POST /api/v1/unknown-agents/{id}/block, role responder or security.
func (c *Client) BlockUnknownAgent(ctx context.Context, req UnknownReasonRequest) (*UnknownAgent, error) {
	return call[UnknownAgent](ctx, c, "POST", "/api/v1/unknown-agents/{id}/block", req)
}

// DismissUnknownAgent takes an unknown agent off the list.
//
// POST /api/v1/unknown-agents/{id}/dismiss, role developer or responder or security.
func (c *Client) DismissUnknownAgent(ctx context.Context, req UnknownReasonRequest) (*UnknownAgent, error) {
	return call[UnknownAgent](ctx, c, "POST", "/api/v1/unknown-agents/{id}/dismiss", req)
}

// UndoUnknownAgent takes back what was decided of an unknown agent.
//
// POST /api/v1/unknown-agents/{id}/undo, role developer or responder or security.
func (c *Client) UndoUnknownAgent(ctx context.Context, req UnknownReasonRequest) (*UnknownAgent, error) {
	return call[UnknownAgent](ctx, c, "POST", "/api/v1/unknown-agents/{id}/undo", req)
}

// ListAgentJWKs lists the public keys with which an agent signs client assertions.
//
// GET /api/v1/agents/{name}/jwks, role developer or responder or security or auditor.
func (c *Client) ListAgentJWKs(ctx context.Context, req AgentRequest) (*List[AgentJWK], error) {
	return call[List[AgentJWK]](ctx, c, "GET", "/api/v1/agents/{name}/jwks", req)
}

// AddAgentJWKs registers public keys of an agent, as a JWK or a JWK set.
//
// POST /api/v1/agents/{name}/jwks, role developer or security.
func (c *Client) AddAgentJWKs(ctx context.Context, req AddAgentJWKsRequest) (*List[AgentJWK], error) {
	return call[List[AgentJWK]](ctx, c, "POST", "/api/v1/agents/{name}/jwks", req)
}

// RemoveAgentJWK takes a public key of an agent away.
//
// DELETE /api/v1/agents/{name}/jwks/{kid}, role developer or responder or security.
func (c *Client) RemoveAgentJWK(ctx context.Context, req AgentJWKRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/agents/{name}/jwks/{kid}", req)
	return err
}

// GetAgentOAuth tells what an agent may ask of the token endpoint.
//
// GET /api/v1/agents/{name}/oauth, role viewer.
func (c *Client) GetAgentOAuth(ctx context.Context, req AgentRequest) (*AgentOAuth, error) {
	return call[AgentOAuth](ctx, c, "GET", "/api/v1/agents/{name}/oauth", req)
}

// PutAgentOAuth says what an agent may ask of the token endpoint.
//
// PUT /api/v1/agents/{name}/oauth, role security.
func (c *Client) PutAgentOAuth(ctx context.Context, req PutAgentOAuthRequest) (*AgentOAuth, error) {
	return call[AgentOAuth](ctx, c, "PUT", "/api/v1/agents/{name}/oauth", req)
}

// ListJoinTokens lists the join tokens of an agent, never their texts.
//
// GET /api/v1/agents/{name}/join-tokens, role developer or responder or security or auditor.
func (c *Client) ListJoinTokens(ctx context.Context, req AgentRequest) (*List[JoinToken], error) {
	return call[List[JoinToken]](ctx, c, "GET", "/api/v1/agents/{name}/join-tokens", req)
}

// CreateJoinToken makes a token by which one instance of an agent enrols; it is shown once.
//
// POST /api/v1/agents/{name}/join-tokens, role developer or security.
func (c *Client) CreateJoinToken(ctx context.Context, req CreateJoinTokenRequest) (*JoinToken, error) {
	return call[JoinToken](ctx, c, "POST", "/api/v1/agents/{name}/join-tokens", req)
}

// RevokeJoinToken ends an unused join token.
//
// DELETE /api/v1/agents/{name}/join-tokens/{id}, role developer or responder or security.
func (c *Client) RevokeJoinToken(ctx context.Context, req AgentItemRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/agents/{name}/join-tokens/{id}", req)
	return err
}

// CreateAgentSVID makes a certificate of a new instance of an agent for a certificate request.
//
// POST /api/v1/agents/{name}/svids, role developer or security.
func (c *Client) CreateAgentSVID(ctx context.Context, req CreateAgentSVIDRequest) (*AgentSVID, error) {
	return call[AgentSVID](ctx, c, "POST", "/api/v1/agents/{name}/svids", req)
}

// RevokeCredential ends one credential of an agent: a token by its jti, with what was exchanged from it, or a certificate by its serial.
//
// POST /api/v1/agents/{name}/credentials/revoke, role responder or security.
func (c *Client) RevokeCredential(ctx context.Context, req RevokeCredentialRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/agents/{name}/credentials/revoke", req)
	return err
}

// ListWorkloads lists which processes of this host are an agent.
//
// GET /api/v1/agents/{name}/workloads, role developer or responder or security or auditor.
func (c *Client) ListWorkloads(ctx context.Context, req AgentRequest) (*List[Workload], error) {
	return call[List[Workload]](ctx, c, "GET", "/api/v1/agents/{name}/workloads", req)
}

// CreateWorkload registers processes of this host as an agent.
//
// POST /api/v1/agents/{name}/workloads, role developer or security.
func (c *Client) CreateWorkload(ctx context.Context, req CreateWorkloadRequest) (*Workload, error) {
	return call[Workload](ctx, c, "POST", "/api/v1/agents/{name}/workloads", req)
}

// DeleteWorkload ends a workload's registration.
//
// DELETE /api/v1/agents/{name}/workloads/{id}, role developer or responder or security.
func (c *Client) DeleteWorkload(ctx context.Context, req AgentItemRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/agents/{name}/workloads/{id}", req)
	return err
}

// ListTokenIssuers lists the outside issuers whose tokens are taken.
//
// GET /api/v1/issuers, role security.
func (c *Client) ListTokenIssuers(ctx context.Context) (*List[TokenIssuer], error) {
	return call[List[TokenIssuer]](ctx, c, "GET", "/api/v1/issuers", nil)
}

// PutTokenIssuer registers an outside issuer, or replaces a registration.
//
// PUT /api/v1/issuers/{name}, role security.
func (c *Client) PutTokenIssuer(ctx context.Context, req PutTokenIssuerRequest) (*TokenIssuer, error) {
	return call[TokenIssuer](ctx, c, "PUT", "/api/v1/issuers/{name}", req)
}

// DeleteTokenIssuer takes no more tokens of an outside issuer.
//
// DELETE /api/v1/issuers/{name}, role security.
func (c *Client) DeleteTokenIssuer(ctx context.Context, req TokenIssuerRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/issuers/{name}", req)
	return err
}

// GetAuthority tells what the certificate authority is, with its roots.
//
// GET /api/v1/ca, role viewer.
func (c *Client) GetAuthority(ctx context.Context) (*Authority, error) {
	return call[Authority](ctx, c, "GET", "/api/v1/ca", nil)
}

// RotateAuthority makes a new root; compromised drops the old one and all that it signed at once.
//
// POST /api/v1/ca/rotate, role security.
func (c *Client) RotateAuthority(ctx context.Context, req RotateAuthorityRequest) (*Authority, error) {
	return call[Authority](ctx, c, "POST", "/api/v1/ca/rotate", req)
}

// ListUpstreams lists upstreams with their health, never their credentials.
//
// GET /api/v1/upstreams, role viewer.
func (c *Client) ListUpstreams(ctx context.Context) (*List[Upstream], error) {
	return call[List[Upstream]](ctx, c, "GET", "/api/v1/upstreams", nil)
}

// GetUpstream reads an upstream.
//
// GET /api/v1/upstreams/{name}, role viewer.
func (c *Client) GetUpstream(ctx context.Context, req UpstreamRequest) (*Upstream, error) {
	return call[Upstream](ctx, c, "GET", "/api/v1/upstreams/{name}", req)
}

// GetPeerCard reads the card of a peer as it was fetched, and whether people accepted it.
//
// GET /api/v1/upstreams/{name}/card, role viewer.
func (c *Client) GetPeerCard(ctx context.Context, req UpstreamRequest) (*PeerCard, error) {
	return call[PeerCard](ctx, c, "GET", "/api/v1/upstreams/{name}/card", req)
}

// PutUpstream makes or replaces an upstream; one that leads elsewhere loses its credential.
//
// PUT /api/v1/upstreams/{name}, role security.
func (c *Client) PutUpstream(ctx context.Context, req PutUpstreamRequest) (*Upstream, error) {
	return call[Upstream](ctx, c, "PUT", "/api/v1/upstreams/{name}", req)
}

// ConnectUpstream begins to connect an upstream to its authorization server.
//
// POST /api/v1/upstreams/{name}/connection, role security.
func (c *Client) ConnectUpstream(ctx context.Context, req ConnectUpstreamRequest) (*ConnectionAttempt, error) {
	return call[ConnectionAttempt](ctx, c, "POST", "/api/v1/upstreams/{name}/connection", req)
}

// FinishUpstreamConnection finishes it with what the authorization server said.
//
// POST /api/v1/upstreams/{name}/connection/finish, role security.
func (c *Client) FinishUpstreamConnection(ctx context.Context, req FinishConnectionRequest) (*Connection, error) {
	return call[Connection](ctx, c, "POST", "/api/v1/upstreams/{name}/connection/finish", req)
}

// DisconnectUpstream gives up what was granted for an upstream.
//
// DELETE /api/v1/upstreams/{name}/connection, role security.
func (c *Client) DisconnectUpstream(ctx context.Context, req UpstreamRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/upstreams/{name}/connection", req)
	return err
}

// SwitchUpstream sends an upstream's calls to another one like it.
//
// POST /api/v1/upstreams/{name}/switch, role responder or security.
func (c *Client) SwitchUpstream(ctx context.Context, req SwitchUpstreamRequest) (*Upstream, error) {
	return call[Upstream](ctx, c, "POST", "/api/v1/upstreams/{name}/switch", req)
}

// SwitchBackUpstream lets an upstream's calls go to it again.
//
// POST /api/v1/upstreams/{name}/switch-back, role responder or security.
func (c *Client) SwitchBackUpstream(ctx context.Context, req SwitchBackRequest) (*Upstream, error) {
	return call[Upstream](ctx, c, "POST", "/api/v1/upstreams/{name}/switch-back", req)
}

// DeleteUpstream removes an upstream and its credential.
//
// DELETE /api/v1/upstreams/{name}, role security.
func (c *Client) DeleteUpstream(ctx context.Context, req UpstreamRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/upstreams/{name}", req)
	return err
}

// ListFindings lists what detectors saw, the newest first, with what other parts found.
//
// GET /api/v1/findings, role viewer.
func (c *Client) ListFindings(ctx context.Context, req ListFindingsRequest) (*List[Finding], error) {
	return call[List[Finding]](ctx, c, "GET", "/api/v1/findings", req)
}

// GetFinding reads a finding with its evidence and what was done about it.
//
// GET /api/v1/findings/{id}, role viewer.
func (c *Client) GetFinding(ctx context.Context, req FindingRequest) (*Finding, error) {
	return call[Finding](ctx, c, "GET", "/api/v1/findings/{id}", req)
}

// JudgeFinding says that a finding was useful or noise, or takes that back.
//
// POST /api/v1/findings/{id}/judge, role developer or responder or security.
func (c *Client) JudgeFinding(ctx context.Context, req JudgeFindingRequest) (*Finding, error) {
	return call[Finding](ctx, c, "POST", "/api/v1/findings/{id}/judge", req)
}

// FalseAlarm calls a finding noise and takes back what Reeve did because of it.
//
// POST /api/v1/findings/{id}/false-alarm, role responder or security.
func (c *Client) FalseAlarm(ctx context.Context, req FalseAlarmRequest) (*Finding, error) {
	return call[Finding](ctx, c, "POST", "/api/v1/findings/{id}/false-alarm", req)
}

// ListDetectors lists detectors with what is wanted of them and what people said of their findings.
//
// GET /api/v1/detectors, role viewer.
func (c *Client) ListDetectors(ctx context.Context) (*List[Detector], error) {
	return call[List[Detector]](ctx, c, "GET", "/api/v1/detectors", nil)
}

// PutDetector says what is wanted of a detector, by effect: alarms a week, smallest effect.
//
// PUT /api/v1/detectors/{name}, role developer or responder or security.
func (c *Client) PutDetector(ctx context.Context, req PutDetectorRequest) (*DetectorSetting, error) {
	return call[DetectorSetting](ctx, c, "PUT", "/api/v1/detectors/{name}", req)
}

// ResetDetector goes back to what is wanted of a detector for all agents, or by default.
//
// DELETE /api/v1/detectors/{name}, role developer or responder or security.
func (c *Client) ResetDetector(ctx context.Context, req ResetDetectorRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/detectors/{name}", req)
	return err
}

// ListRules lists the rules that people wrote.
//
// GET /api/v1/rules, role viewer.
func (c *Client) ListRules(ctx context.Context) (*List[Rule], error) {
	return call[List[Rule]](ctx, c, "GET", "/api/v1/rules", nil)
}

// GetRule reads a rule.
//
// GET /api/v1/rules/{name}, role viewer.
func (c *Client) GetRule(ctx context.Context, req RuleRequest) (*Rule, error) {
	return call[Rule](ctx, c, "GET", "/api/v1/rules/{name}", req)
}

// ListRuleRevisions lists the versions of a rule, the newest first.
//
// GET /api/v1/rules/{name}/revisions, role viewer.
func (c *Client) ListRuleRevisions(ctx context.Context, req RuleRequest) (*List[Rule], error) {
	return call[List[Rule]](ctx, c, "GET", "/api/v1/rules/{name}/revisions", req)
}

// PutRule makes or changes a rule.
//
// PUT /api/v1/rules/{name}, role developer or responder or security.
func (c *Client) PutRule(ctx context.Context, req PutRuleRequest) (*Rule, error) {
	return call[Rule](ctx, c, "PUT", "/api/v1/rules/{name}", req)
}

// DeleteRule drops a rule; its versions stay.
//
// DELETE /api/v1/rules/{name}, role developer or responder or security.
func (c *Client) DeleteRule(ctx context.Context, req DeleteRuleRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/rules/{name}", req)
	return err
}

// TryRule says when a rule would have held in the last days, without keeping it.
//
// POST /api/v1/rules/try, role viewer.
func (c *Client) TryRule(ctx context.Context, req TryRuleRequest) (*RuleTrial, error) {
	return call[RuleTrial](ctx, c, "POST", "/api/v1/rules/try", req)
}

// ListRuleWords lists what a rule may ask about.
//
// GET /api/v1/rule-words, role viewer.
func (c *Client) ListRuleWords(ctx context.Context) (*List[RuleWord], error) {
	return call[List[RuleWord]](ctx, c, "GET", "/api/v1/rule-words", nil)
}

// ListLogKinds lists the kinds of an agent's log lines, with values masked.
//
// GET /api/v1/agents/{name}/log-kinds, role reader.
func (c *Client) ListLogKinds(ctx context.Context, req AgentRequest) (*LogKinds, error) {
	return call[LogKinds](ctx, c, "GET", "/api/v1/agents/{name}/log-kinds", req)
}

// AgentBehaviour reads what was measured of an agent: series, tools, paths, hours, what is normal.
//
// GET /api/v1/agents/{name}/behaviour, role viewer.
func (c *Client) AgentBehaviour(ctx context.Context, req BehaviourRequest) (*AgentBehaviour, error) {
	return call[AgentBehaviour](ctx, c, "GET", "/api/v1/agents/{name}/behaviour", req)
}

// ListResponsePolicies lists what follows from which findings without a person.
//
// GET /api/v1/response-policies, role viewer.
func (c *Client) ListResponsePolicies(ctx context.Context) (*ResponsePolicies, error) {
	return call[ResponsePolicies](ctx, c, "GET", "/api/v1/response-policies", nil)
}

// PutResponsePolicy makes or changes a response policy; it observes unless it says enforce.
//
// PUT /api/v1/response-policies/{name}, role security.
func (c *Client) PutResponsePolicy(ctx context.Context, req PutResponsePolicyRequest) (*ResponsePolicy, error) {
	return call[ResponsePolicy](ctx, c, "PUT", "/api/v1/response-policies/{name}", req)
}

// DeleteResponsePolicy drops a response policy; what it did stays.
//
// DELETE /api/v1/response-policies/{name}, role security.
func (c *Client) DeleteResponsePolicy(ctx context.Context, req DeleteResponsePolicyRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/response-policies/{name}", req)
	return err
}

// ListResponses lists what was done about findings, or would have been, the newest first.
//
// GET /api/v1/responses, role viewer.
func (c *Client) ListResponses(ctx context.Context, req ListResponsesRequest) (*List[Response], error) {
	return call[List[Response]](ctx, c, "GET", "/api/v1/responses", req)
}

// RevertResponse takes a response back to what a person had set.
//
// POST /api/v1/responses/{id}/revert, role responder or security.
func (c *Client) RevertResponse(ctx context.Context, req ResponseActRequest) (*Response, error) {
	return call[Response](ctx, c, "POST", "/api/v1/responses/{id}/revert", req)
}

// ApplyResponse does what a braked or observing response policy would have done.
//
// POST /api/v1/responses/{id}/apply, role responder or security.
func (c *Client) ApplyResponse(ctx context.Context, req ResponseActRequest) (*Response, error) {
	return call[Response](ctx, c, "POST", "/api/v1/responses/{id}/apply", req)
}

// ListTools lists the tools of MCP servers, with what waits for a person and why.
//
// GET /api/v1/tools, role viewer.
func (c *Client) ListTools(ctx context.Context, req ListToolsRequest) (*List[Tool], error) {
	return call[List[Tool]](ctx, c, "GET", "/api/v1/tools", req)
}

// UpstreamTools lists an upstream's tools with the digest by which all are accepted.
//
// GET /api/v1/tools/{upstream}, role viewer.
func (c *Client) UpstreamTools(ctx context.Context, req UpstreamToolsRequest) (*UpstreamTools, error) {
	return call[UpstreamTools](ctx, c, "GET", "/api/v1/tools/{upstream}", req)
}

// GetTool reads a tool with its versions, what changed, and what its definition suggests.
//
// GET /api/v1/tools/{upstream}/{tool}, role viewer.
func (c *Client) GetTool(ctx context.Context, req ToolRequest) (*ToolDetail, error) {
	return call[ToolDetail](ctx, c, "GET", "/api/v1/tools/{upstream}/{tool}", req)
}

// ToolDifference tells how two definitions of a tool differ, word by word and by path.
//
// GET /api/v1/tools/{upstream}/{tool}/difference, role viewer.
func (c *Client) ToolDifference(ctx context.Context, req ToolDifferenceRequest) (*ToolDifference, error) {
	return call[ToolDifference](ctx, c, "GET", "/api/v1/tools/{upstream}/{tool}/difference", req)
}

// AcceptTool accepts the definition of a tool that was shown, with its effect, data classes and paths.
//
// POST /api/v1/tools/{upstream}/{tool}/accept, role security.
func (c *Client) AcceptTool(ctx context.Context, req AcceptToolRequest) (*Tool, error) {
	return call[Tool](ctx, c, "POST", "/api/v1/tools/{upstream}/{tool}/accept", req)
}

// HoldTool makes a tool wait for a person again.
//
// POST /api/v1/tools/{upstream}/{tool}/hold, role security or responder.
func (c *Client) HoldTool(ctx context.Context, req HoldToolRequest) (*Tool, error) {
	return call[Tool](ctx, c, "POST", "/api/v1/tools/{upstream}/{tool}/hold", req)
}

// AcceptTools accepts all tools of an upstream that wait and that nothing serious speaks against.
//
// POST /api/v1/tools/{upstream}/accept, role security.
func (c *Client) AcceptTools(ctx context.Context, req AcceptToolsRequest) (*AcceptedTools, error) {
	return call[AcceptedTools](ctx, c, "POST", "/api/v1/tools/{upstream}/accept", req)
}

// ForgetTool drops a tool with its versions: the next list has it as new.
//
// DELETE /api/v1/tools/{upstream}/{tool}, role security.
func (c *Client) ForgetTool(ctx context.Context, req ForgetToolRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/tools/{upstream}/{tool}", req)
	return err
}

// ListToolFindings lists why tools are or were held, the newest first.
//
// GET /api/v1/tool-findings, role viewer.
func (c *Client) ListToolFindings(ctx context.Context, req ListToolFindingsRequest) (*List[ToolFinding], error) {
	return call[List[ToolFinding]](ctx, c, "GET", "/api/v1/tool-findings", req)
}

// ListPolicies lists policies, guardrails first.
//
// GET /api/v1/policies, role viewer.
func (c *Client) ListPolicies(ctx context.Context, req ListPoliciesRequest) (*List[Policy], error) {
	return call[List[Policy]](ctx, c, "GET", "/api/v1/policies", req)
}

// GetPolicy reads a policy.
//
// GET /api/v1/policies/{name}, role viewer.
func (c *Client) GetPolicy(ctx context.Context, req PolicyRequest) (*Policy, error) {
	return call[Policy](ctx, c, "GET", "/api/v1/policies/{name}", req)
}

// PutPolicy makes or replaces a policy; a team's developers may do so in observe, security in enforce; a guardrail a second person confirms.
//
// PUT /api/v1/policies/{name}, role developer or security.
func (c *Client) PutPolicy(ctx context.Context, req PutPolicyRequest) (*Policy, error) {
	return call[Policy](ctx, c, "PUT", "/api/v1/policies/{name}", req)
}

// DeletePolicy ends a policy; its revisions stay; of a guardrail a second person confirms it.
//
// DELETE /api/v1/policies/{name}, role developer or security.
func (c *Client) DeletePolicy(ctx context.Context, req DeletePolicyRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/policies/{name}", req)
	return err
}

// SetPolicyMode puts a policy in observe or enforce.
//
// POST /api/v1/policies/{name}/mode, role security.
func (c *Client) SetPolicyMode(ctx context.Context, req PolicyModeRequest) (*Policy, error) {
	return call[Policy](ctx, c, "POST", "/api/v1/policies/{name}/mode", req)
}

// RestorePolicy makes a policy again what it was at a revision, a deleted one too.
//
// POST /api/v1/policies/{name}/restore, role developer or security.
func (c *Client) RestorePolicy(ctx context.Context, req RestorePolicyRequest) (*Policy, error) {
	return call[Policy](ctx, c, "POST", "/api/v1/policies/{name}/restore", req)
}

// ListPolicyRevisions lists what a policy was, the newest first.
//
// GET /api/v1/policies/{name}/revisions, role viewer.
func (c *Client) ListPolicyRevisions(ctx context.Context, req PolicyRequest) (*List[PolicyRevision], error) {
	return call[List[PolicyRevision]](ctx, c, "GET", "/api/v1/policies/{name}/revisions", req)
}

// ValidatePolicy tells what is wrong with a policy's text, by line and column.
//
// POST /api/v1/policies/validate, role viewer.
func (c *Client) ValidatePolicy(ctx context.Context, req ValidatePolicyRequest) (*PolicyValidation, error) {
	return call[PolicyValidation](ctx, c, "POST", "/api/v1/policies/validate", req)
}

// Lint says what each agent's telemetry leaves out, what that costs, and what sets it.
//
// GET /api/v1/lint, role viewer.
func (c *Client) Lint(ctx context.Context, req LintRequest) (*List[Lint], error) {
	return call[List[Lint]](ctx, c, "GET", "/api/v1/lint", req)
}

// ListSources lists what agents read, with how fresh it is.
//
// GET /api/v1/sources, role viewer.
func (c *Client) ListSources(ctx context.Context, req ListSourcesRequest) (*List[Source], error) {
	return call[List[Source]](ctx, c, "GET", "/api/v1/sources", req)
}

// GetSource reads a source with its versions, jobs, checks and documents.
//
// GET /api/v1/sources/{name}, role viewer.
func (c *Client) GetSource(ctx context.Context, req SourceRequest) (*SourceDetail, error) {
	return call[SourceDetail](ctx, c, "GET", "/api/v1/sources/{name}", req)
}

// PutSource registers a source, or says how old it may be and who answers for it.
//
// PUT /api/v1/sources/{name}, role developer.
func (c *Client) PutSource(ctx context.Context, req PutSourceRequest) (*Source, error) {
	return call[Source](ctx, c, "PUT", "/api/v1/sources/{name}", req)
}

// DeleteSource forgets a source and its history.
//
// DELETE /api/v1/sources/{name}, role developer.
func (c *Client) DeleteSource(ctx context.Context, req SourceRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/sources/{name}", req)
	return err
}

// TakeSourceOut takes a source out of use: the door refuses to read it.
//
// POST /api/v1/sources/{name}/out, role responder.
func (c *Client) TakeSourceOut(ctx context.Context, req TakeSourceOutRequest) (*Source, error) {
	return call[Source](ctx, c, "POST", "/api/v1/sources/{name}/out", req)
}

// PutSourceBack puts a source back into use.
//
// POST /api/v1/sources/{name}/back, role responder.
func (c *Client) PutSourceBack(ctx context.Context, req PutSourceBackRequest) (*Source, error) {
	return call[Source](ctx, c, "POST", "/api/v1/sources/{name}/back", req)
}

// ListRunSources says what the run read, in which version and how old it was then.
//
// GET /api/v1/runs/{id}/sources, role viewer.
func (c *Client) ListRunSources(ctx context.Context, req RunRequest) (*List[SourceUse], error) {
	return call[List[SourceUse]](ctx, c, "GET", "/api/v1/runs/{id}/sources", req)
}

// ListAlerts lists alerts, firing ones first, then the last changed.
//
// GET /api/v1/alerts, role viewer.
func (c *Client) ListAlerts(ctx context.Context, req ListAlertsRequest) (*List[Alert], error) {
	return call[List[Alert]](ctx, c, "GET", "/api/v1/alerts", req)
}

// GetAlert reads an alert with its history and, for readers, its sender's own words.
//
// GET /api/v1/alerts/{id}, role viewer.
func (c *Client) GetAlert(ctx context.Context, req AlertRequest) (*AlertDetail, error) {
	return call[AlertDetail](ctx, c, "GET", "/api/v1/alerts/{id}", req)
}

// CloseAlert resolves an alert by hand; a new episode opens it again.
//
// POST /api/v1/alerts/{id}/close, role responder.
func (c *Client) CloseAlert(ctx context.Context, req CloseAlertRequest) (*AlertDetail, error) {
	return call[AlertDetail](ctx, c, "POST", "/api/v1/alerts/{id}/close", req)
}

// ListChanges lists what was changed and may show in how agents behave, the newest first.
//
// GET /api/v1/changes, role viewer.
func (c *Client) ListChanges(ctx context.Context, req ListChangesRequest) (*List[Change], error) {
	return call[List[Change]](ctx, c, "GET", "/api/v1/changes", req)
}

// GetChange reads a change.
//
// GET /api/v1/changes/{id}, role viewer.
func (c *Client) GetChange(ctx context.Context, req ChangeRequest) (*Change, error) {
	return call[Change](ctx, c, "GET", "/api/v1/changes/{id}", req)
}

// CreateChange reports a change: a deployment, a prompt, a model, a flag; the same key updates it.
//
// POST /api/v1/changes, role developer.
func (c *Client) CreateChange(ctx context.Context, req CreateChangeRequest) (*Change, error) {
	return call[Change](ctx, c, "POST", "/api/v1/changes", req)
}

// ListEvaluators lists what looks at runs that ended.
//
// GET /api/v1/evaluators, role viewer.
func (c *Client) ListEvaluators(ctx context.Context, req ListEvaluatorsRequest) (*List[Evaluator], error) {
	return call[List[Evaluator]](ctx, c, "GET", "/api/v1/evaluators", req)
}

// PutEvaluator makes or changes an evaluator: groundedness, schema, rule, voice, leak, refusal, judge.
//
// PUT /api/v1/evaluators/{name}, role developer.
func (c *Client) PutEvaluator(ctx context.Context, req PutEvaluatorRequest) (*Evaluator, error) {
	return call[Evaluator](ctx, c, "PUT", "/api/v1/evaluators/{name}", req)
}

// DeleteEvaluator removes an evaluator; what it found stays.
//
// DELETE /api/v1/evaluators/{name}, role developer.
func (c *Client) DeleteEvaluator(ctx context.Context, req EvaluatorRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/evaluators/{name}", req)
	return err
}

// TryEvaluator tells what an evaluator would find of texts; nothing is kept.
//
// POST /api/v1/evaluator-tries, role developer.
func (c *Client) TryEvaluator(ctx context.Context, req TryEvaluatorRequest) (*Evaluation, error) {
	return call[Evaluation](ctx, c, "POST", "/api/v1/evaluator-tries", req)
}

// TryEvaluatorOnRuns tells what an evaluator would say of the newest runs that it would look at; nothing is kept.
//
// POST /api/v1/evaluator-trials, role developer.
func (c *Client) TryEvaluatorOnRuns(ctx context.Context, req TryEvaluatorOnRunsRequest) (*EvaluatorTrial, error) {
	return call[EvaluatorTrial](ctx, c, "POST", "/api/v1/evaluator-trials", req)
}

// ListEvaluations lists what evaluators and people said of runs, the newest first.
//
// GET /api/v1/evaluations, role viewer.
func (c *Client) ListEvaluations(ctx context.Context, req ListEvaluationsRequest) (*List[Evaluation], error) {
	return call[List[Evaluation]](ctx, c, "GET", "/api/v1/evaluations", req)
}

// EvaluationSummary adds up what evaluators found of agents and versions, and how far people agree.
//
// GET /api/v1/evaluation-summary, role viewer.
func (c *Client) EvaluationSummary(ctx context.Context, req EvaluationSummaryRequest) (*EvaluationSummary, error) {
	return call[EvaluationSummary](ctx, c, "GET", "/api/v1/evaluation-summary", req)
}

// AnnotationQueue lists what oneself should label: unsure first, then failed, then a tenth of what passed.
//
// GET /api/v1/annotation-queue, role developer or responder.
func (c *Client) AnnotationQueue(ctx context.Context, req AnnotationQueueRequest) (*List[Evaluation], error) {
	return call[List[Evaluation]](ctx, c, "GET", "/api/v1/annotation-queue", req)
}

// LabelRun says of a run, in an evaluator's place, whether it is good.
//
// POST /api/v1/evaluation-labels, role developer or responder.
func (c *Client) LabelRun(ctx context.Context, req LabelRunRequest) (*Evaluation, error) {
	return call[Evaluation](ctx, c, "POST", "/api/v1/evaluation-labels", req)
}

// ListDatasets lists data sets: cases from recorded runs.
//
// GET /api/v1/datasets, role viewer.
func (c *Client) ListDatasets(ctx context.Context, req ListDatasetsRequest) (*List[Dataset], error) {
	return call[List[Dataset]](ctx, c, "GET", "/api/v1/datasets", req)
}

// PutDataset makes a data set, or changes what is said of it.
//
// PUT /api/v1/datasets/{name}, role developer.
func (c *Client) PutDataset(ctx context.Context, req PutDatasetRequest) (*Dataset, error) {
	return call[Dataset](ctx, c, "PUT", "/api/v1/datasets/{name}", req)
}

// DeleteDataset removes a data set with its items; what was exported stays on record.
//
// DELETE /api/v1/datasets/{name}, role developer.
func (c *Client) DeleteDataset(ctx context.Context, req DatasetRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/datasets/{name}", req)
	return err
}

// ListDatasetItems lists the items of a version of a data set.
//
// GET /api/v1/datasets/{name}/items, role reader.
func (c *Client) ListDatasetItems(ctx context.Context, req ListDatasetItemsRequest) (*List[DatasetItem], error) {
	return call[List[DatasetItem]](ctx, c, "GET", "/api/v1/datasets/{name}/items", req)
}

// AddDatasetItem makes a run a case of a data set, or changes the case that it is; personal data is cut out.
//
// POST /api/v1/datasets/{name}/items, role developer or responder.
func (c *Client) AddDatasetItem(ctx context.Context, req AddDatasetItemRequest) (*DatasetItem, error) {
	return call[DatasetItem](ctx, c, "POST", "/api/v1/datasets/{name}/items", req)
}

// RemoveDatasetItem takes an item out of the next version; versions before keep it.
//
// DELETE /api/v1/datasets/{name}/items/{item}, role developer.
func (c *Client) RemoveDatasetItem(ctx context.Context, req DatasetItemRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/datasets/{name}/items/{item}", req)
	return err
}

// ExportDataset gives out what has consent, as JSONL: evaluation cases, fine-tuning examples or preference pairs.
//
// POST /api/v1/datasets/{name}/exports, role developer.
func (c *Client) ExportDataset(ctx context.Context, req ExportDatasetRequest) (*DatasetExport, error) {
	return call[DatasetExport](ctx, c, "POST", "/api/v1/datasets/{name}/exports", req)
}

// ListDatasetExports lists what was exported of a data set, and what of that was withdrawn since.
//
// GET /api/v1/datasets/{name}/exports, role viewer.
func (c *Client) ListDatasetExports(ctx context.Context, req DatasetRequest) (*List[DatasetExport], error) {
	return call[List[DatasetExport]](ctx, c, "GET", "/api/v1/datasets/{name}/exports", req)
}

// ListRunCases lists the data sets in which a run is a case.
//
// GET /api/v1/runs/{id}/cases, role viewer.
func (c *Client) ListRunCases(ctx context.Context, req IDRequest) (*List[DatasetItem], error) {
	return call[List[DatasetItem]](ctx, c, "GET", "/api/v1/runs/{id}/cases", req)
}

// ListTopics lists what people ask for, the most first, with what became of it.
//
// GET /api/v1/topics, role viewer.
func (c *Client) ListTopics(ctx context.Context, req ListTopicsRequest) (*TopicList, error) {
	return call[TopicList](ctx, c, "GET", "/api/v1/topics", req)
}

// GetTopic reads a topic: its agents, its course, and for readers what is typically asked.
//
// GET /api/v1/topics/{id}, role viewer.
func (c *Client) GetTopic(ctx context.Context, req TopicRequest) (*TopicPage, error) {
	return call[TopicPage](ctx, c, "GET", "/api/v1/topics/{id}", req)
}

// ListTopicRuns lists runs about a topic, the newest first; none lists those that are like too few others.
//
// GET /api/v1/topics/{id}/runs, role viewer.
func (c *Client) ListTopicRuns(ctx context.Context, req TopicRunsRequest) (*List[TopicRun], error) {
	return call[List[TopicRun]](ctx, c, "GET", "/api/v1/topics/{id}/runs", req)
}

// NameTopic gives a topic a name.
//
// PUT /api/v1/topics/{id}/name, role developer.
func (c *Client) NameTopic(ctx context.Context, req NameTopicRequest) (*Topic, error) {
	return call[Topic](ctx, c, "PUT", "/api/v1/topics/{id}/name", req)
}

// GetRunTopic says what a run was about, and how patient its session's user was.
//
// GET /api/v1/runs/{id}/topic, role viewer.
func (c *Client) GetRunTopic(ctx context.Context, req RunRequest) (*RunTopic, error) {
	return call[RunTopic](ctx, c, "GET", "/api/v1/runs/{id}/topic", req)
}

// ListMoods lists sessions with signs of frustration, the most frustrated first.
//
// GET /api/v1/moods, role viewer.
func (c *Client) ListMoods(ctx context.Context, req ListMoodsRequest) (*MoodList, error) {
	return call[MoodList](ctx, c, "GET", "/api/v1/moods", req)
}

// GetGate lists what an agent has to show before production, computed now.
//
// GET /api/v1/agents/{name}/gate, role viewer.
func (c *Client) GetGate(ctx context.Context, req GateRequest) (*Gate, error) {
	return call[Gate](ctx, c, "GET", "/api/v1/agents/{name}/gate", req)
}

// PutGateSet names the data set on whose cases an agent has to pass; another one, or fewer cases, is security's.
//
// PUT /api/v1/agents/{name}/gate/dataset, role developer or security.
func (c *Client) PutGateSet(ctx context.Context, req PutGateSetRequest) (*Gate, error) {
	return call[Gate](ctx, c, "PUT", "/api/v1/agents/{name}/gate/dataset", req)
}

// ListGateChanges shows what became of the cases of an agent's gate since security approved them.
//
// GET /api/v1/agents/{name}/gate/cases, role reader.
func (c *Client) ListGateChanges(ctx context.Context, req GateRequest) (*GateChanges, error) {
	return call[GateChanges](ctx, c, "GET", "/api/v1/agents/{name}/gate/cases", req)
}

// ApproveGate approves the cases of an agent's gate as they are in the version that was looked at.
//
// POST /api/v1/agents/{name}/gate/cases, role security.
func (c *Client) ApproveGate(ctx context.Context, req ApproveGateRequest) (*Gate, error) {
	return call[Gate](ctx, c, "POST", "/api/v1/agents/{name}/gate/cases", req)
}

// PassGate promotes an agent if all of the list passes; what it came to is kept, and a refusal names the run.
//
// POST /api/v1/agents/{name}/gate, role developer or security.
func (c *Client) PassGate(ctx context.Context, req PassGateRequest) (*Gate, error) {
	return call[Gate](ctx, c, "POST", "/api/v1/agents/{name}/gate", req)
}

// GetInvokeTarget says how an agent is invoked for tests; not found: it cannot be tested.
//
// GET /api/v1/agents/{name}/invoke, role viewer.
func (c *Client) GetInvokeTarget(ctx context.Context, req InvokeTargetRequest) (*InvokeTarget, error) {
	return call[InvokeTarget](ctx, c, "GET", "/api/v1/agents/{name}/invoke", req)
}

// PutInvokeTarget says how an agent is invoked for tests, by A2A or a request of a template.
//
// PUT /api/v1/agents/{name}/invoke, role security.
func (c *Client) PutInvokeTarget(ctx context.Context, req PutInvokeTargetRequest) (*InvokeTarget, error) {
	return call[InvokeTarget](ctx, c, "PUT", "/api/v1/agents/{name}/invoke", req)
}

// TryInvoke puts one question to an agent as a test, by what is kept or by what is given, and says whether it can be tested.
//
// POST /api/v1/agents/{name}/invoke/try, role developer.
func (c *Client) TryInvoke(ctx context.Context, req TryInvokeRequest) (*TriedInvoke, error) {
	return call[TriedInvoke](ctx, c, "POST", "/api/v1/agents/{name}/invoke/try", req)
}

// StartExperiment runs an agent on the cases of a data set, or on bias pairs, as tests.
//
// POST /api/v1/experiments, role developer.
func (c *Client) StartExperiment(ctx context.Context, req StartExperimentRequest) (*Experiment, error) {
	return call[Experiment](ctx, c, "POST", "/api/v1/experiments", req)
}

// ListExperiments lists experiments, the newest first.
//
// GET /api/v1/experiments, role viewer.
func (c *Client) ListExperiments(ctx context.Context, req ListExperimentsRequest) (*List[Experiment], error) {
	return call[List[Experiment]](ctx, c, "GET", "/api/v1/experiments", req)
}

// GetExperiment reads an experiment with its results.
//
// GET /api/v1/experiments/{id}, role viewer.
func (c *Client) GetExperiment(ctx context.Context, req GetExperimentRequest) (*Experiment, error) {
	return call[Experiment](ctx, c, "GET", "/api/v1/experiments/{id}", req)
}

// StopExperiment ends an experiment; what it found stays.
//
// POST /api/v1/experiments/{id}/stop, role developer.
func (c *Client) StopExperiment(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/experiments/{id}/stop", req)
	return err
}

// ListBiasPlans lists bias plans: pairs that are replayed at times and for each version.
//
// GET /api/v1/bias-plans, role viewer.
func (c *Client) ListBiasPlans(ctx context.Context, req ListBiasPlansRequest) (*List[BiasPlan], error) {
	return call[List[BiasPlan]](ctx, c, "GET", "/api/v1/bias-plans", req)
}

// PutBiasPlan makes or changes a bias plan; it runs at once.
//
// PUT /api/v1/bias-plans/{name}, role developer.
func (c *Client) PutBiasPlan(ctx context.Context, req PutBiasPlanRequest) (*BiasPlan, error) {
	return call[BiasPlan](ctx, c, "PUT", "/api/v1/bias-plans/{name}", req)
}

// DeleteBiasPlan ends a bias plan; its experiments stay.
//
// DELETE /api/v1/bias-plans/{name}, role developer.
func (c *Client) DeleteBiasPlan(ctx context.Context, req NameRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/bias-plans/{name}", req)
	return err
}

// ListDrills lists failover drills: cases that are tried with an upstream taken as down, and what that came to last.
//
// GET /api/v1/drills, role viewer.
func (c *Client) ListDrills(ctx context.Context, req ListDrillsRequest) (*List[Drill], error) {
	return call[List[Drill]](ctx, c, "GET", "/api/v1/drills", req)
}

// GetDrill reads a failover drill with what it came to each time, the newest first.
//
// GET /api/v1/drills/{name}, role viewer.
func (c *Client) GetDrill(ctx context.Context, req NameRequest) (*Drill, error) {
	return call[Drill](ctx, c, "GET", "/api/v1/drills/{name}", req)
}

// PutDrill makes or changes a failover drill: what is taken as down, for which cases, and when.
//
// PUT /api/v1/drills/{name}, role developer.
func (c *Client) PutDrill(ctx context.Context, req PutDrillRequest) (*Drill, error) {
	return call[Drill](ctx, c, "PUT", "/api/v1/drills/{name}", req)
}

// RunDrill tries a failover now, beside its schedule.
//
// POST /api/v1/drills/{name}/run, role developer.
func (c *Client) RunDrill(ctx context.Context, req NameRequest) (*Drill, error) {
	return call[Drill](ctx, c, "POST", "/api/v1/drills/{name}/run", req)
}

// DeleteDrill ends a failover drill; its experiments stay.
//
// DELETE /api/v1/drills/{name}, role developer.
func (c *Client) DeleteDrill(ctx context.Context, req NameRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/drills/{name}", req)
	return err
}

// ListFeedback lists what people and downstream systems said of runs, the newest first.
//
// GET /api/v1/feedback, role viewer.
func (c *Client) ListFeedback(ctx context.Context, req ListFeedbackRequest) (*List[Feedback], error) {
	return call[List[Feedback]](ctx, c, "GET", "/api/v1/feedback", req)
}

// GetFeedback reads a feedback.
//
// GET /api/v1/feedback/{id}, role viewer.
func (c *Client) GetFeedback(ctx context.Context, req FeedbackRequest) (*Feedback, error) {
	return call[Feedback](ctx, c, "GET", "/api/v1/feedback/{id}", req)
}

// FeedbackPatterns compares what users thought of an agent's runs with and without each pattern of steps.
//
// GET /api/v1/feedback-patterns, role viewer.
func (c *Client) FeedbackPatterns(ctx context.Context, req FeedbackPatternsRequest) (*FeedbackPatterns, error) {
	return call[FeedbackPatterns](ctx, c, "GET", "/api/v1/feedback-patterns", req)
}

// FeedbackSummary adds up what users said of agents and versions in a period, and how many said nothing.
//
// GET /api/v1/feedback-summary, role viewer.
func (c *Client) FeedbackSummary(ctx context.Context, req FeedbackSummaryRequest) (*FeedbackSummary, error) {
	return call[FeedbackSummary](ctx, c, "GET", "/api/v1/feedback-summary", req)
}

// CreateFeedback takes what a user or a system said of a run, by its id, trace, session or join key, before or after the run is told of.
//
// POST /api/v1/feedback, role developer or responder.
func (c *Client) CreateFeedback(ctx context.Context, req CreateFeedbackRequest) (*Feedback, error) {
	return call[Feedback](ctx, c, "POST", "/api/v1/feedback", req)
}

// BindFeedbackKey says which run a join key names.
//
// POST /api/v1/feedback-keys, role developer or responder.
func (c *Client) BindFeedbackKey(ctx context.Context, req BindFeedbackKeyRequest) (*FeedbackKey, error) {
	return call[FeedbackKey](ctx, c, "POST", "/api/v1/feedback-keys", req)
}

// CreateFeedbackLink makes signed links by which somebody without an account can say something of one run.
//
// POST /api/v1/feedback-links, role developer or responder.
func (c *Client) CreateFeedbackLink(ctx context.Context, req CreateFeedbackLinkRequest) (*FeedbackLink, error) {
	return call[FeedbackLink](ctx, c, "POST", "/api/v1/feedback-links", req)
}

// TellFeedback notes what the person was told of what became of it, and answers with where to tell them.
//
// POST /api/v1/feedback/{id}/tell, role responder or developer.
func (c *Client) TellFeedback(ctx context.Context, req TellFeedbackRequest) (*ToldFeedback, error) {
	return call[ToldFeedback](ctx, c, "POST", "/api/v1/feedback/{id}/tell", req)
}

// SetFeedbackStatus says what the person is shown, by their link, of what became of what they said.
//
// PUT /api/v1/feedback/{id}/status, role responder or developer.
func (c *Client) SetFeedbackStatus(ctx context.Context, req SetFeedbackStatusRequest) (*Feedback, error) {
	return call[Feedback](ctx, c, "PUT", "/api/v1/feedback/{id}/status", req)
}

// RevokeFeedbackStatus ends the links by which the person sees what became of what they said.
//
// DELETE /api/v1/feedback/{id}/status, role responder or developer.
func (c *Client) RevokeFeedbackStatus(ctx context.Context, req FeedbackRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/feedback/{id}/status", req)
	return err
}

// EraseFeedback erases what was said and by whom, of one feedback or of a user; verdicts stay counted.
//
// POST /api/v1/feedback-erasures, role developer or security.
func (c *Client) EraseFeedback(ctx context.Context, req EraseFeedbackRequest) (*ErasedFeedback, error) {
	return call[ErasedFeedback](ctx, c, "POST", "/api/v1/feedback-erasures", req)
}

// ListFeedbackForms lists the forms through which web pages send feedback.
//
// GET /api/v1/feedback-forms, role viewer.
func (c *Client) ListFeedbackForms(ctx context.Context, req ListFeedbackFormsRequest) (*List[FeedbackForm], error) {
	return call[List[FeedbackForm]](ctx, c, "GET", "/api/v1/feedback-forms", req)
}

// PutFeedbackForm makes or changes a form: the origins of the pages that may send.
//
// PUT /api/v1/feedback-forms/{name}, role developer.
func (c *Client) PutFeedbackForm(ctx context.Context, req PutFeedbackFormRequest) (*FeedbackForm, error) {
	return call[FeedbackForm](ctx, c, "PUT", "/api/v1/feedback-forms/{name}", req)
}

// DeleteFeedbackForm removes a form; what it sent stays.
//
// DELETE /api/v1/feedback-forms/{name}, role developer.
func (c *Client) DeleteFeedbackForm(ctx context.Context, req FeedbackFormRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/feedback-forms/{name}", req)
	return err
}

// ListAlertSources lists who sends alerts and changes, with counts, never with secrets.
//
// GET /api/v1/alert-sources, role viewer.
func (c *Client) ListAlertSources(ctx context.Context, req ListAlertSourcesRequest) (*List[AlertSource], error) {
	return call[List[AlertSource]](ctx, c, "GET", "/api/v1/alert-sources", req)
}

// GetAlertSource reads a source of alerts or changes.
//
// GET /api/v1/alert-sources/{name}, role viewer.
func (c *Client) GetAlertSource(ctx context.Context, req AlertSourceRequest) (*AlertSource, error) {
	return call[AlertSource](ctx, c, "GET", "/api/v1/alert-sources/{name}", req)
}

// PutAlertSource registers a source of alerts or changes; a new one's secret is answered once.
//
// PUT /api/v1/alert-sources/{name}, role developer.
func (c *Client) PutAlertSource(ctx context.Context, req PutAlertSourceRequest) (*AlertSourceWithSecret, error) {
	return call[AlertSourceWithSecret](ctx, c, "PUT", "/api/v1/alert-sources/{name}", req)
}

// RotateAlertSource gives a source a new secret; the old one is taken for a while.
//
// POST /api/v1/alert-sources/{name}/rotate, role developer.
func (c *Client) RotateAlertSource(ctx context.Context, req RotateAlertSourceRequest) (*AlertSourceWithSecret, error) {
	return call[AlertSourceWithSecret](ctx, c, "POST", "/api/v1/alert-sources/{name}/rotate", req)
}

// DeleteAlertSource removes a source and its secrets; what it sent stays.
//
// DELETE /api/v1/alert-sources/{name}, role developer.
func (c *Client) DeleteAlertSource(ctx context.Context, req AlertSourceRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/alert-sources/{name}", req)
	return err
}

// TryAlertSource tells what a delivery would become, by a kind and its mapping; nothing is kept.
//
// POST /api/v1/alert-sources/try, role viewer.
func (c *Client) TryAlertSource(ctx context.Context, req TryAlertSourceRequest) (*TriedAlerts, error) {
	return call[TriedAlerts](ctx, c, "POST", "/api/v1/alert-sources/try", req)
}

// ListBudgets lists budgets with what is spent of them.
//
// GET /api/v1/budgets, role viewer.
func (c *Client) ListBudgets(ctx context.Context) (*List[Budget], error) {
	return call[List[Budget]](ctx, c, "GET", "/api/v1/budgets", nil)
}

// GetBudget reads a budget with the share of each that it counts for.
//
// GET /api/v1/budgets/{name}, role viewer.
func (c *Client) GetBudget(ctx context.Context, req BudgetRequest) (*Budget, error) {
	return call[Budget](ctx, c, "GET", "/api/v1/budgets/{name}", req)
}

// PutBudget makes or replaces a budget: a team's developers for its own agents, security for all.
//
// PUT /api/v1/budgets/{name}, role developer or security.
func (c *Client) PutBudget(ctx context.Context, req PutBudgetRequest) (*Budget, error) {
	return call[Budget](ctx, c, "PUT", "/api/v1/budgets/{name}", req)
}

// DeleteBudget removes a budget.
//
// DELETE /api/v1/budgets/{name}, role developer or security.
func (c *Client) DeleteBudget(ctx context.Context, req BudgetRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/budgets/{name}", req)
	return err
}

// CheckPolicy tells what the door would say to an action of an agent, and why.
//
// POST /api/v1/policies/check, role viewer.
func (c *Client) CheckPolicy(ctx context.Context, req CheckRequest) (*CheckAnswer, error) {
	return call[CheckAnswer](ctx, c, "POST", "/api/v1/policies/check", req)
}

// SimulatePolicies tries policies, or another mode, on recorded decisions and lists every verdict that would change.
//
// POST /api/v1/policies/simulate, role viewer.
func (c *Client) SimulatePolicies(ctx context.Context, req SimulateRequest) (*Simulation, error) {
	return call[Simulation](ctx, c, "POST", "/api/v1/policies/simulate", req)
}

// GetSimulation reads a simulation of one's own, while it goes on too.
//
// GET /api/v1/simulations/{id}, role viewer.
func (c *Client) GetSimulation(ctx context.Context, req SimulationRequest) (*Simulation, error) {
	return call[Simulation](ctx, c, "GET", "/api/v1/simulations/{id}", req)
}

// WouldRefuse counts what observing kept from being refused, by agent, resource and reason.
//
// GET /api/v1/policies/would, role viewer.
func (c *Client) WouldRefuse(ctx context.Context, req WouldRequest) (*WouldAnswer, error) {
	return call[WouldAnswer](ctx, c, "GET", "/api/v1/policies/would", req)
}

// ProposePolicy proposes the smallest policy that permits what an agent did, and tries it on the period before.
//
// POST /api/v1/policies/propose, role viewer.
func (c *Client) ProposePolicy(ctx context.Context, req ProposePolicyRequest) (*PolicyProposal, error) {
	return call[PolicyProposal](ctx, c, "POST", "/api/v1/policies/propose", req)
}

// EnforcePolicy enforces a policy once a simulation showed what that refuses; without one, answers with it.
//
// POST /api/v1/policies/{name}/enforce, role security.
func (c *Client) EnforcePolicy(ctx context.Context, req EnforceRequest) (*EnforceAnswer, error) {
	return call[EnforceAnswer](ctx, c, "POST", "/api/v1/policies/{name}/enforce", req)
}

// EnforceAgent enforces an agent once a simulation showed what that refuses; without one, answers with it.
//
// POST /api/v1/agents/{name}/enforce, role developer or security.
func (c *Client) EnforceAgent(ctx context.Context, req EnforceRequest) (*EnforceAnswer, error) {
	return call[EnforceAnswer](ctx, c, "POST", "/api/v1/agents/{name}/enforce", req)
}

// BreakGlass sets an agent to observe for at most an hour, in an emergency; everybody is told.
//
// POST /api/v1/agents/{name}/break-glass, role responder or security.
func (c *Client) BreakGlass(ctx context.Context, req BreakGlassRequest) (*Agent, error) {
	return call[Agent](ctx, c, "POST", "/api/v1/agents/{name}/break-glass", req)
}

// ListContentRules lists the rules for secrets and personal data in content.
//
// GET /api/v1/content-rules, role viewer.
func (c *Client) ListContentRules(ctx context.Context) (*List[ContentRule], error) {
	return call[List[ContentRule]](ctx, c, "GET", "/api/v1/content-rules", nil)
}

// GetContentRule reads a content rule.
//
// GET /api/v1/content-rules/{name}, role viewer.
func (c *Client) GetContentRule(ctx context.Context, req ContentRuleRequest) (*ContentRule, error) {
	return call[ContentRule](ctx, c, "GET", "/api/v1/content-rules/{name}", req)
}

// PutContentRule makes or replaces a content rule; it is in force for the next call.
//
// PUT /api/v1/content-rules/{name}, role security.
func (c *Client) PutContentRule(ctx context.Context, req PutContentRuleRequest) (*ContentRule, error) {
	return call[ContentRule](ctx, c, "PUT", "/api/v1/content-rules/{name}", req)
}

// DeleteContentRule removes a content rule.
//
// DELETE /api/v1/content-rules/{name}, role security.
func (c *Client) DeleteContentRule(ctx context.Context, req ContentRuleRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/content-rules/{name}", req)
	return err
}

// ContentClasses lists what can be found in content.
//
// GET /api/v1/content-classes, role viewer.
func (c *Client) ContentClasses(ctx context.Context) (*List[string], error) {
	return call[List[string]](ctx, c, "GET", "/api/v1/content-classes", nil)
}

// TryContent tells what the rules find in a text and what would become of it; nothing is kept.
//
// POST /api/v1/content-rules/try, role viewer.
func (c *Client) TryContent(ctx context.Context, req TryContentRequest) (*TriedContent, error) {
	return call[TriedContent](ctx, c, "POST", "/api/v1/content-rules/try", req)
}

// ListStops lists stops, the newest first, with their receipts.
//
// GET /api/v1/stops, role viewer.
func (c *Client) ListStops(ctx context.Context, req ListStopsRequest) (*List[Stop], error) {
	return call[List[Stop]](ctx, c, "GET", "/api/v1/stops", req)
}

// CreateStop stops a target: cuts its calls in flight, kills an agent's credentials and refuses new calls; answers with the receipt.
//
// POST /api/v1/stops, role responder.
func (c *Client) CreateStop(ctx context.Context, req CreateStopRequest) (*Stop, error) {
	return call[Stop](ctx, c, "POST", "/api/v1/stops", req)
}

// PreviewStop tells what a stop would cut now.
//
// POST /api/v1/stops/preview, role responder.
func (c *Client) PreviewStop(ctx context.Context, req PreviewStopRequest) (*StopPreview, error) {
	return call[StopPreview](ctx, c, "POST", "/api/v1/stops/preview", req)
}

// LiftStop ends a stop; it revives no credential.
//
// POST /api/v1/stops/{id}/lift, role responder.
func (c *Client) LiftStop(ctx context.Context, req LiftStopRequest) (*Stop, error) {
	return call[Stop](ctx, c, "POST", "/api/v1/stops/{id}/lift", req)
}

// ListApprovals lists held actions, the newest first; those that wait unless state says otherwise.
//
// GET /api/v1/approvals, role signed_in.
func (c *Client) ListApprovals(ctx context.Context, req ListApprovalsRequest) (*List[Approval], error) {
	return call[List[Approval]](ctx, c, "GET", "/api/v1/approvals", req)
}

// ApprovalIndicators tells how held actions were answered: how soon, by whom, and how many without being looked at.
//
// GET /api/v1/approvals/indicators, role viewer.
func (c *Client) ApprovalIndicators(ctx context.Context, req ApprovalIndicatorsRequest) (*ApprovalIndicators, error) {
	return call[ApprovalIndicators](ctx, c, "GET", "/api/v1/approvals/indicators", req)
}

// GetApproval reads a held action: what will happen, with which arguments, who agreed, how the like was answered.
//
// GET /api/v1/approvals/{id}, role signed_in.
func (c *Client) GetApproval(ctx context.Context, req IDRequest) (*Approval, error) {
	return call[Approval](ctx, c, "GET", "/api/v1/approvals/{id}", req)
}

// OpenApproval notes that one looked at a held action.
//
// POST /api/v1/approvals/{id}/opened, role signed_in.
func (c *Client) OpenApproval(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "POST", "/api/v1/approvals/{id}/opened", req)
	return err
}

// Approve agrees to a held action with exactly the arguments of the hash.
//
// POST /api/v1/approvals/{id}/approve, role signed_in.
func (c *Client) Approve(ctx context.Context, req ApproveRequest) (*Approval, error) {
	return call[Approval](ctx, c, "POST", "/api/v1/approvals/{id}/approve", req)
}

// DenyApproval denies a held action, and the same again for a day.
//
// POST /api/v1/approvals/{id}/deny, role signed_in.
func (c *Client) DenyApproval(ctx context.Context, req ApprovalReasonRequest) (*Approval, error) {
	return call[Approval](ctx, c, "POST", "/api/v1/approvals/{id}/deny", req)
}

// EditApproval agrees to a held action with other arguments, which are decided on again.
//
// POST /api/v1/approvals/{id}/edit, role signed_in.
func (c *Client) EditApproval(ctx context.Context, req EditApprovalRequest) (*Approval, error) {
	return call[Approval](ctx, c, "POST", "/api/v1/approvals/{id}/edit", req)
}

// TakeOver does a held action instead of the agent, or gives its result; further calls of the run are held.
//
// POST /api/v1/approvals/{id}/takeover, role signed_in.
func (c *Client) TakeOver(ctx context.Context, req TakeOverRequest) (*Approval, error) {
	return call[Approval](ctx, c, "POST", "/api/v1/approvals/{id}/takeover", req)
}

// GiveBack lets a run that was taken over go on.
//
// POST /api/v1/approvals/{id}/give-back, role signed_in.
func (c *Client) GiveBack(ctx context.Context, req ApprovalReasonRequest) (*Approval, error) {
	return call[Approval](ctx, c, "POST", "/api/v1/approvals/{id}/give-back", req)
}

// Me tells who asks and what they may do.
//
// GET /api/v1/me, role signed_in.
func (c *Client) Me(ctx context.Context) (*Me, error) {
	return call[Me](ctx, c, "GET", "/api/v1/me", nil)
}

// Setup tells whether the first account is still to be made.
//
// GET /api/v1/setup, role public.
func (c *Client) Setup(ctx context.Context) (*Setup, error) {
	return call[Setup](ctx, c, "GET", "/api/v1/setup", nil)
}

// SignIn signs in with name and password.
//
// POST /api/v1/sign-ins, role public.
func (c *Client) SignIn(ctx context.Context, req SignInRequest) (*SignedIn, error) {
	return call[SignedIn](ctx, c, "POST", "/api/v1/sign-ins", req)
}

// ListSignIns lists one's sessions; an admin may ask for everybody's.
//
// GET /api/v1/sign-ins, role own or admin.
func (c *Client) ListSignIns(ctx context.Context, req EverybodyRequest) (*List[SignIn], error) {
	return call[List[SignIn]](ctx, c, "GET", "/api/v1/sign-ins", req)
}

// EndSignIn ends a session; current ends the one that asks.
//
// DELETE /api/v1/sign-ins/{id}, role own or admin.
func (c *Client) EndSignIn(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/sign-ins/{id}", req)
	return err
}

// ListPeople lists people with their teams and roles.
//
// GET /api/v1/people, role viewer.
func (c *Client) ListPeople(ctx context.Context, req PageRequest) (*List[Person], error) {
	return call[List[Person]](ctx, c, "GET", "/api/v1/people", req)
}

// CreatePerson makes an account; with the admin token the first one, an admin, and the token dies.
//
// POST /api/v1/people, role admin.
func (c *Client) CreatePerson(ctx context.Context, req CreatePersonRequest) (*Person, error) {
	return call[Person](ctx, c, "POST", "/api/v1/people", req)
}

// UpdatePerson changes an account: name and password; as an admin also teams, disabled, and roles, which a second person confirms.
//
// PATCH /api/v1/people/{id}, role own or admin.
func (c *Client) UpdatePerson(ctx context.Context, req UpdatePersonRequest) (*Person, error) {
	return call[Person](ctx, c, "PATCH", "/api/v1/people/{id}", req)
}

// ListFactors lists second factors: one's own (me), or anybody's for an admin.
//
// GET /api/v1/people/{id}/factors, role own or admin.
func (c *Client) ListFactors(ctx context.Context, req IDRequest) (*Factors, error) {
	return call[Factors](ctx, c, "GET", "/api/v1/people/{id}/factors", req)
}

// BeginFactor enrols a device for one-time codes; its secret is shown once.
//
// POST /api/v1/me/factors, role signed_in.
func (c *Client) BeginFactor(ctx context.Context, req BeginFactorRequest) (*Enrolment, error) {
	return call[Enrolment](ctx, c, "POST", "/api/v1/me/factors", req)
}

// ConfirmFactor shows a first code, so that the device counts; the first device brings recovery codes.
//
// POST /api/v1/me/factors/{id}/confirm, role signed_in.
func (c *Client) ConfirmFactor(ctx context.Context, req ConfirmFactorRequest) (*RecoveryCodes, error) {
	return call[RecoveryCodes](ctx, c, "POST", "/api/v1/me/factors/{id}/confirm", req)
}

// RemoveFactor takes a second factor away; the person's other sessions end.
//
// DELETE /api/v1/factors/{id}, role own or admin.
func (c *Client) RemoveFactor(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/factors/{id}", req)
	return err
}

// RenewRecoveryCodes gives new recovery codes for the old ones.
//
// POST /api/v1/me/recovery-codes, role signed_in.
func (c *Client) RenewRecoveryCodes(ctx context.Context) (*RecoveryCodes, error) {
	return call[RecoveryCodes](ctx, c, "POST", "/api/v1/me/recovery-codes", nil)
}

// ShowFactor shows a code of the second factor, which dangerous acts need within five minutes.
//
// POST /api/v1/me/fresh, role signed_in.
func (c *Client) ShowFactor(ctx context.Context, req CodeRequest) (*FreshUntil, error) {
	return call[FreshUntil](ctx, c, "POST", "/api/v1/me/fresh", req)
}

// BeginPasskey enrols a passkey of the browser that asks.
//
// POST /api/v1/me/passkeys, role signed_in.
func (c *Client) BeginPasskey(ctx context.Context, req BeginFactorRequest) (*PasskeyEnrolment, error) {
	return call[PasskeyEnrolment](ctx, c, "POST", "/api/v1/me/passkeys", req)
}

// ConfirmPasskey takes the browser's new passkey, so that it counts; the first factor brings recovery codes.
//
// POST /api/v1/me/passkeys/{id}/confirm, role signed_in.
func (c *Client) ConfirmPasskey(ctx context.Context, req ConfirmPasskeyRequest) (*RecoveryCodes, error) {
	return call[RecoveryCodes](ctx, c, "POST", "/api/v1/me/passkeys/{id}/confirm", req)
}

// AskPasskey gives what a browser is asked with for one of one's own passkeys.
//
// POST /api/v1/me/fresh/passkey/options, role signed_in.
func (c *Client) AskPasskey(ctx context.Context) (*PasskeyOptions, error) {
	return call[PasskeyOptions](ctx, c, "POST", "/api/v1/me/fresh/passkey/options", nil)
}

// ShowPasskey shows a passkey, which dangerous acts need within five minutes.
//
// POST /api/v1/me/fresh/passkey, role signed_in.
func (c *Client) ShowPasskey(ctx context.Context, req PasskeyRequest) (*FreshUntil, error) {
	return call[FreshUntil](ctx, c, "POST", "/api/v1/me/fresh/passkey", req)
}

// AskPasskeySignIn gives what a browser is asked with for a passkey to sign in with.
//
// POST /api/v1/sign-ins/passkey/options, role public.
func (c *Client) AskPasskeySignIn(ctx context.Context) (*PasskeyOptions, error) {
	return call[PasskeyOptions](ctx, c, "POST", "/api/v1/sign-ins/passkey/options", nil)
}

// SignInWithPasskey signs in with a passkey, without a password.
//
// POST /api/v1/sign-ins/passkey, role public.
func (c *Client) SignInWithPasskey(ctx context.Context, req PasskeyRequest) (*SignedIn, error) {
	return call[SignedIn](ctx, c, "POST", "/api/v1/sign-ins/passkey", req)
}

// RedeemSignIn fetches the session that a provider's sign-in opened, once and with its cookie.
//
// POST /api/v1/sign-ins/redeem, role public.
func (c *Client) RedeemSignIn(ctx context.Context, req CodeRequest) (*SignedIn, error) {
	return call[SignedIn](ctx, c, "POST", "/api/v1/sign-ins/redeem", req)
}

// ListProposals lists changes that wait for a second person, or did: one's own and those one may confirm.
//
// GET /api/v1/proposals, role signed_in.
func (c *Client) ListProposals(ctx context.Context, req ListProposalsRequest) (*List[Proposal], error) {
	return call[List[Proposal]](ctx, c, "GET", "/api/v1/proposals", req)
}

// ConfirmProposal makes a change that another person asked for.
//
// POST /api/v1/proposals/{id}/confirm, role signed_in.
func (c *Client) ConfirmProposal(ctx context.Context, req IDRequest) (*Proposal, error) {
	return call[Proposal](ctx, c, "POST", "/api/v1/proposals/{id}/confirm", req)
}

// DeclineProposal refuses a change that another person asked for.
//
// POST /api/v1/proposals/{id}/decline, role signed_in.
func (c *Client) DeclineProposal(ctx context.Context, req IDRequest) (*Proposal, error) {
	return call[Proposal](ctx, c, "POST", "/api/v1/proposals/{id}/decline", req)
}

// WithdrawProposal takes back a change that one asked for.
//
// POST /api/v1/proposals/{id}/withdraw, role signed_in.
func (c *Client) WithdrawProposal(ctx context.Context, req IDRequest) (*Proposal, error) {
	return call[Proposal](ctx, c, "POST", "/api/v1/proposals/{id}/withdraw", req)
}

// ListTeams lists teams.
//
// GET /api/v1/teams, role viewer.
func (c *Client) ListTeams(ctx context.Context) (*List[Team], error) {
	return call[List[Team]](ctx, c, "GET", "/api/v1/teams", nil)
}

// CreateTeam makes a team.
//
// POST /api/v1/teams, role admin.
func (c *Client) CreateTeam(ctx context.Context, req CreateTeamRequest) (*Team, error) {
	return call[Team](ctx, c, "POST", "/api/v1/teams", req)
}

// ListTokens lists one's tokens; an admin may ask for everybody's.
//
// GET /api/v1/tokens, role own or admin.
func (c *Client) ListTokens(ctx context.Context, req EverybodyRequest) (*List[Token], error) {
	return call[List[Token]](ctx, c, "GET", "/api/v1/tokens", req)
}

// CreateToken makes a token with at most one's own roles; its secret is shown once.
//
// POST /api/v1/tokens, role signed_in.
func (c *Client) CreateToken(ctx context.Context, req CreateTokenRequest) (*NewToken, error) {
	return call[NewToken](ctx, c, "POST", "/api/v1/tokens", req)
}

// RevokeToken ends a token.
//
// DELETE /api/v1/tokens/{id}, role own or admin.
func (c *Client) RevokeToken(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/tokens/{id}", req)
	return err
}

// GetRunOutcome says how a run ended for its user, and why it counts so.
//
// GET /api/v1/runs/{id}/outcome, role viewer.
func (c *Client) GetRunOutcome(ctx context.Context, req RunRequest) (*RunOutcome, error) {
	return call[RunOutcome](ctx, c, "GET", "/api/v1/runs/{id}/outcome", req)
}

// DecideOutcome says how a run ended; it holds over all evidence.
//
// POST /api/v1/runs/{id}/outcome, role developer or responder.
func (c *Client) DecideOutcome(ctx context.Context, req DecideOutcomeRequest) (*RunOutcome, error) {
	return call[RunOutcome](ctx, c, "POST", "/api/v1/runs/{id}/outcome", req)
}

// ReportOutcome reports what a downstream system, a user or a judge says of how a run ended; the run may come later.
//
// POST /api/v1/outcome-evidence, role developer or responder.
func (c *Client) ReportOutcome(ctx context.Context, req ReportOutcomeRequest) (*OutcomeEvidence, error) {
	return call[OutcomeEvidence](ctx, c, "POST", "/api/v1/outcome-evidence", req)
}

// ListEvidence lists evidence about outcomes, the newest first.
//
// GET /api/v1/outcome-evidence, role viewer.
func (c *Client) ListEvidence(ctx context.Context, req ListEvidenceRequest) (*List[OutcomeEvidence], error) {
	return call[List[OutcomeEvidence]](ctx, c, "GET", "/api/v1/outcome-evidence", req)
}

// ListOutcomeRules lists rules about outcomes, deadlines and stuck runs, and the settling windows.
//
// GET /api/v1/outcome-rules, role viewer.
func (c *Client) ListOutcomeRules(ctx context.Context) (*OutcomeRules, error) {
	return call[OutcomeRules](ctx, c, "GET", "/api/v1/outcome-rules", nil)
}

// TryOutcomeRule says what a rule about outcomes would say of the runs of the last days, without keeping it.
//
// POST /api/v1/outcome-rules/try, role viewer.
func (c *Client) TryOutcomeRule(ctx context.Context, req TryOutcomeRuleRequest) (*OutcomeRuleTrial, error) {
	return call[OutcomeRuleTrial](ctx, c, "POST", "/api/v1/outcome-rules/try", req)
}

// PutOutcomeRule makes or changes a rule about outcomes.
//
// PUT /api/v1/outcome-rules/{name}, role developer or responder.
func (c *Client) PutOutcomeRule(ctx context.Context, req PutOutcomeRuleRequest) (*OutcomeRule, error) {
	return call[OutcomeRule](ctx, c, "PUT", "/api/v1/outcome-rules/{name}", req)
}

// DeleteOutcomeRule drops a rule about outcomes.
//
// DELETE /api/v1/outcome-rules/{name}, role developer or responder.
func (c *Client) DeleteOutcomeRule(ctx context.Context, req DeleteOutcomeRuleRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/outcome-rules/{name}", req)
	return err
}

// ListKPIs lists the KPIs with what they mean and what they come to.
//
// GET /api/v1/kpis, role viewer.
func (c *Client) ListKPIs(ctx context.Context, req ListKPIsRequest) (*KPIList, error) {
	return call[KPIList](ctx, c, "GET", "/api/v1/kpis", req)
}

// GetKPI gives one KPI over time, split where asked, with interval, sample, coverage and its records.
//
// GET /api/v1/kpis/{id}, role viewer.
func (c *Client) GetKPI(ctx context.Context, req KPIRequest) (*KPIDetail, error) {
	return call[KPIDetail](ctx, c, "GET", "/api/v1/kpis/{id}", req)
}

// TryKPI says what a definition of a KPI would come to, without keeping it.
//
// POST /api/v1/kpis/try, role viewer.
func (c *Client) TryKPI(ctx context.Context, req TryKPIRequest) (*KPITrial, error) {
	return call[KPITrial](ctx, c, "POST", "/api/v1/kpis/try", req)
}

// ListKPIRecords lists the records behind a figure that no search finds: feedback, sessions, evaluations, cases.
//
// GET /api/v1/kpis/{id}/records, role viewer.
func (c *Client) ListKPIRecords(ctx context.Context, req ListKPIRecordsRequest) (*List[KPIRecord], error) {
	return call[List[KPIRecord]](ctx, c, "GET", "/api/v1/kpis/{id}/records", req)
}

// PutKPI defines a KPI of your own, or its next version.
//
// PUT /api/v1/kpis/{id}, role developer or responder.
func (c *Client) PutKPI(ctx context.Context, req PutKPIRequest) (*KPI, error) {
	return call[KPI](ctx, c, "PUT", "/api/v1/kpis/{id}", req)
}

// DeleteKPI drops a KPI of your own; its versions stay.
//
// DELETE /api/v1/kpis/{id}, role developer or responder.
func (c *Client) DeleteKPI(ctx context.Context, req DeleteKPIRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/kpis/{id}", req)
	return err
}

// ListKPIVersions lists the versions of a KPI of your own, the newest first.
//
// GET /api/v1/kpis/{id}/versions, role viewer.
func (c *Client) ListKPIVersions(ctx context.Context, req IDRequest) (*List[KPIVersion], error) {
	return call[List[KPIVersion]](ctx, c, "GET", "/api/v1/kpis/{id}/versions", req)
}

// GetValueLedger says what runs were worth by the assumptions in force, less cost, people's minutes and harm, and how far each assumption moves it.
//
// GET /api/v1/value, role viewer.
func (c *Client) GetValueLedger(ctx context.Context, req KPIScope) (*ValueLedger, error) {
	return call[ValueLedger](ctx, c, "GET", "/api/v1/value", req)
}

// ListAssumptions lists the versions of what runs were said to be worth, the newest first.
//
// GET /api/v1/value/assumptions, role viewer.
func (c *Client) ListAssumptions(ctx context.Context) (*List[ValueAssumptions], error) {
	return call[List[ValueAssumptions]](ctx, c, "GET", "/api/v1/value/assumptions", nil)
}

// PutAssumptions says what runs are worth and what harm costs; every version stays.
//
// PUT /api/v1/value/assumptions, role developer.
func (c *Client) PutAssumptions(ctx context.Context, req ValueAssumptions) (*ValueAssumptions, error) {
	return call[ValueAssumptions](ctx, c, "PUT", "/api/v1/value/assumptions", req)
}

// ListInvoices lists invoices and usage exports of providers that were imported.
//
// GET /api/v1/cost/invoices, role viewer.
func (c *Client) ListInvoices(ctx context.Context) (*List[Invoice], error) {
	return call[List[Invoice]](ctx, c, "GET", "/api/v1/cost/invoices", nil)
}

// ListRerates lists times whose calls were, or would be, priced again.
//
// GET /api/v1/cost/rerates, role viewer.
func (c *Client) ListRerates(ctx context.Context) (*List[Rerate], error) {
	return call[List[Rerate]](ctx, c, "GET", "/api/v1/cost/rerates", nil)
}

// PlanRerate looks for what pricing the calls of a time again would change; nothing changes yet.
//
// POST /api/v1/cost/rerates, role admin.
func (c *Client) PlanRerate(ctx context.Context, req PlanRerateRequest) (*Rerate, error) {
	return call[Rerate](ctx, c, "POST", "/api/v1/cost/rerates", req)
}

// GetRerate reads a plan or what became of it, with its progress.
//
// GET /api/v1/cost/rerates/{id}, role viewer.
func (c *Client) GetRerate(ctx context.Context, req RerateRequest) (*Rerate, error) {
	return call[Rerate](ctx, c, "GET", "/api/v1/cost/rerates/{id}", req)
}

// ApplyRerate gives the calls of a plan their new costs; those that their senders gave stay.
//
// POST /api/v1/cost/rerates/{id}/apply, role admin.
func (c *Client) ApplyRerate(ctx context.Context, req RerateRequest) (*Rerate, error) {
	return call[Rerate](ctx, c, "POST", "/api/v1/cost/rerates/{id}/apply", req)
}

// UndoRerate gives the calls their old costs back.
//
// POST /api/v1/cost/rerates/{id}/undo, role admin.
func (c *Client) UndoRerate(ctx context.Context, req RerateRequest) (*Rerate, error) {
	return call[Rerate](ctx, c, "POST", "/api/v1/cost/rerates/{id}/undo", req)
}

// ListRemaps lists times whose steps were, or would be, mapped again.
//
// GET /api/v1/remaps, role admin.
func (c *Client) ListRemaps(ctx context.Context) (*List[Remap], error) {
	return call[List[Remap]](ctx, c, "GET", "/api/v1/remaps", nil)
}

// PlanRemap looks for what today's table would make otherwise of stored steps; nothing changes yet.
//
// POST /api/v1/remaps, role admin.
func (c *Client) PlanRemap(ctx context.Context, req PlanRemapRequest) (*Remap, error) {
	return call[Remap](ctx, c, "POST", "/api/v1/remaps", req)
}

// GetRemap reads a plan or what became of it, with its progress.
//
// GET /api/v1/remaps/{id}, role admin.
func (c *Client) GetRemap(ctx context.Context, req RemapRequest) (*Remap, error) {
	return call[Remap](ctx, c, "GET", "/api/v1/remaps/{id}", req)
}

// ApplyRemap maps the steps of a plan again; their attributes stay, but for what is content or a credential by now.
//
// POST /api/v1/remaps/{id}/apply, role admin.
func (c *Client) ApplyRemap(ctx context.Context, req RemapRequest) (*Remap, error) {
	return call[Remap](ctx, c, "POST", "/api/v1/remaps/{id}/apply", req)
}

// ImportInvoice reads a provider's invoice or usage export; the same file again is the same invoice.
//
// POST /api/v1/cost/invoices, role admin.
func (c *Client) ImportInvoice(ctx context.Context, req ImportInvoiceRequest) (*Invoice, error) {
	return call[Invoice](ctx, c, "POST", "/api/v1/cost/invoices", req)
}

// Reconcile holds an invoice against the model calls counted here, by day and model.
//
// GET /api/v1/cost/invoices/{id}, role viewer.
func (c *Client) Reconcile(ctx context.Context, req InvoiceRequest) (*Reconciliation, error) {
	return call[Reconciliation](ctx, c, "GET", "/api/v1/cost/invoices/{id}", req)
}

// DeleteInvoice forgets an imported invoice.
//
// DELETE /api/v1/cost/invoices/{id}, role admin.
func (c *Client) DeleteInvoice(ctx context.Context, req InvoiceRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/cost/invoices/{id}", req)
	return err
}

// ListFrameworks lists how agents join, by what they are built with, filled in for this server.
//
// GET /api/v1/connect, role signed_in.
func (c *Client) ListFrameworks(ctx context.Context, req ListFrameworksRequest) (*List[Framework], error) {
	return call[List[Framework]](ctx, c, "GET", "/api/v1/connect", req)
}

// Connect makes the keys that an agent needs to join, and what to copy with them in it, which is shown once.
//
// POST /api/v1/connect/{framework}, role developer or security or admin.
func (c *Client) Connect(ctx context.Context, req ConnectRequest) (*ConnectedAgent, error) {
	return call[ConnectedAgent](ctx, c, "POST", "/api/v1/connect/{framework}", req)
}

// ConnectProgress tells whether an agent's first step and decision have arrived, and what its telemetry leaves out.
//
// GET /api/v1/connect/progress, role viewer.
func (c *Client) ConnectProgress(ctx context.Context, req ConnectProgressRequest) (*ConnectProgress, error) {
	return call[ConnectProgress](ctx, c, "GET", "/api/v1/connect/progress", req)
}

// ListIntakeKeys lists intake keys of one's teams.
//
// GET /api/v1/intake-keys, role developer or security or admin or auditor.
func (c *Client) ListIntakeKeys(ctx context.Context) (*List[IntakeKey], error) {
	return call[List[IntakeKey]](ctx, c, "GET", "/api/v1/intake-keys", nil)
}

// CreateIntakeKey makes a write-only key for a team's environment; its secret is shown once.
//
// POST /api/v1/intake-keys, role developer or security or admin.
func (c *Client) CreateIntakeKey(ctx context.Context, req CreateIntakeKeyRequest) (*NewIntakeKey, error) {
	return call[NewIntakeKey](ctx, c, "POST", "/api/v1/intake-keys", req)
}

// RevokeIntakeKey ends an intake key.
//
// DELETE /api/v1/intake-keys/{id}, role developer or security or admin.
func (c *Client) RevokeIntakeKey(ctx context.Context, req IDRequest) error {
	_, err := call[struct{}](ctx, c, "DELETE", "/api/v1/intake-keys/{id}", req)
	return err
}

// ListAudit lists the audit log, the newest first.
//
// GET /api/v1/audit, role auditor.
func (c *Client) ListAudit(ctx context.Context, req ListAuditRequest) (*List[AuditRecord], error) {
	return call[List[AuditRecord]](ctx, c, "GET", "/api/v1/audit", req)
}
