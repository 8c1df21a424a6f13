package api

import (
	"net/http"
	"slices"

	"reeve/client"
	"reeve/internal/identity"
)

// table is every operation of the API, by subject. Add one here, with a handler
// beside its subject's others, and run the tests with -update: the OpenAPI file
// and the client's methods follow.
func table() []operation {
	get, post, patch, del := http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	created := http.StatusCreated
	return slices.Concat(incidentOperations(), onCallOperations(), causeOperations(), whyOperations(), []operation{
		// Runs and what is in them.
		define(operation{Name: "ListRuns", Method: get, Path: "/runs", Permission: rows(identity.Viewer), Summary: "lists runs, the newest first, those still running included"}, listRuns),
		define(operation{Name: "GetRun", Method: get, Path: "/runs/{id}", Permission: rows(identity.Viewer), Summary: "reads a run"}, getRun),
		render[client.ListStepsRequest, client.List[client.Step]](operation{Name: "ListSteps", Method: get, Path: "/runs/{id}/steps", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "lists the steps of a run by start time, light or with content"}, listSteps),
		define(operation{Name: "GetStep", Method: get, Path: "/runs/{id}/steps/{step}", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "reads a step with its attributes and, for readers, its content"}, getStep),
		define(operation{Name: "ListMessages", Method: get, Path: "/runs/{id}/messages", Permission: rows(identity.Reader), Audit: AuditContent, Summary: "lists the distinct messages of a run in the order they first appeared"}, listMessages),
		define(operation{Name: "ListRunLogs", Method: get, Path: "/runs/{id}/logs", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "lists the log records of a run, the newest first"}, listRunLogs),
		define(operation{Name: "ListRunMetrics", Method: get, Path: "/runs/{id}/metrics", Permission: everywhere(identity.Viewer), Summary: "lists the metric points of a run's agent around the run"}, runMetrics),
		define(operation{Name: "ListSessions", Method: get, Path: "/sessions", Permission: rows(identity.Viewer), Summary: "lists sessions, the last active first"}, listSessions),
		// Loose records name no team, so only who sees all teams sees them.
		define(operation{Name: "ListLogs", Method: get, Path: "/logs", Permission: everywhere(identity.Viewer), Audit: AuditContent, Summary: "lists log records, the newest first"}, listLogs),
		define(operation{Name: "ListMetricPoints", Method: get, Path: "/metric-points", Permission: everywhere(identity.Viewer), Summary: "lists metric points, the newest first"}, listMetricPoints),

		define(operation{Name: "GetSteering", Method: get, Path: "/runs/{id}/steering", Permission: rows(identity.Reader, identity.Responder), Audit: AuditContent, Summary: "reads what people do about a run while it goes on: who holds it, what they said"}, getSteering),
		define(operation{Name: "HoldRun", Method: post, Path: "/runs/{id}/hold", Permission: rows(identity.Responder).onlyPeople(), Audit: AuditChange, Summary: "makes each further call of a run wait for a person"}, holdRun),
		define(operation{Name: "ReleaseRun", Method: post, Path: "/runs/{id}/release", Permission: rows(identity.Responder).onlyPeople(), Audit: AuditChange, Summary: "lets a held run go on"}, releaseRun),
		define(operation{Name: "TellRun", Method: post, Path: "/runs/{id}/notes", Permission: rows(identity.Responder).freshly(), Audit: AuditChange, Status: created, Summary: "says something to a run's model, with its next call or with each"}, tellRun),
		define(operation{Name: "WithdrawRunNote", Method: del, Path: "/runs/{id}/notes/{note}", Permission: rows(identity.Responder).onlyPeople(), Audit: AuditChange, Summary: "ends a note that may still be told"}, withdrawRunNote),
		define(operation{Name: "ListRunDecisions", Method: get, Path: "/runs/{id}/decisions", Permission: rows(identity.Viewer), Summary: "lists the decisions of a run, the newest first, pending ones included"}, listRunDecisions),

		// What was decided of proposed actions.
		define(operation{Name: "ListDecisions", Method: get, Path: "/decisions", Permission: rows(identity.Viewer), Summary: "lists decisions, the newest first, pending ones included"}, listDecisions),
		define(operation{Name: "EraseUser", Method: post, Path: "/decisions/erase", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Summary: "erases a user's name and the content of decisions made for them; the records stay"}, eraseUser),
		define(operation{Name: "DecisionReceipt", Method: get, Path: "/decisions/{id}/receipt", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "proves a decision's records to whoever has the public key"}, decisionReceipt),
		define(operation{Name: "ListAuditKeys", Method: get, Path: "/audit/keys", Permission: public(), Summary: "lists the public keys that sign checkpoints of the audit log"}, listAuditKeys),
		define(operation{Name: "RotateAuditKey", Method: post, Path: "/audit/keys/rotate", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "makes a new key for checkpoints, vouched for by the old one"}, rotateAuditKey),
		define(operation{Name: "ListAuditCheckpoints", Method: get, Path: "/audit/checkpoints", Permission: everywhere(identity.Auditor), Summary: "lists the newest checkpoint of each log"}, listAuditCheckpoints),
		define(operation{Name: "ListSIEMTargets", Method: get, Path: "/siem", Permission: everywhere(identity.Auditor), Summary: "lists where records stream to, and how that goes"}, listSIEM),
		// Relayed content leaves the house: who says where sees it all.
		define(operation{Name: "ListRelays", Method: get, Path: "/relay", Permission: everywhere(identity.Viewer), Summary: "lists where telemetry is forwarded to, and how that goes"}, listRelays),
		define(operation{Name: "GetRelay", Method: get, Path: "/relay/{name}", Permission: everywhere(identity.Viewer), Summary: "reads a relay destination"}, getRelay),
		define(operation{Name: "PutRelay", Method: http.MethodPut, Path: "/relay/{name}", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "makes or replaces a relay destination; a new one begins with what arrives from now on"}, putRelay),
		define(operation{Name: "DeleteRelay", Method: del, Path: "/relay/{name}", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "forgets a relay destination and what it does not have yet"}, deleteRelay),
		define(operation{Name: "PauseRelay", Method: post, Path: "/relay/{name}/pause", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "stops forwarding to a destination; what arrives waits as long as the queue has room"}, pauseRelay),
		define(operation{Name: "ResumeRelay", Method: post, Path: "/relay/{name}/resume", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "goes on forwarding to a destination where it was"}, resumeRelay),
		define(operation{Name: "ListPollers", Method: get, Path: "/pollers", Permission: everywhere(identity.Viewer), Summary: "lists the systems that are asked for records of agents, and how that goes"}, listPollers),
		define(operation{Name: "GetPoller", Method: get, Path: "/pollers/{name}", Permission: everywhere(identity.Viewer), Summary: "reads a poller"}, getPoller),
		define(operation{Name: "PutPoller", Method: http.MethodPut, Path: "/pollers/{name}", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "makes or replaces a poller; what was read stays read"}, putPoller),
		define(operation{Name: "DeletePoller", Method: del, Path: "/pollers/{name}", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "forgets a poller; its runs stay"}, deletePoller),
		define(operation{Name: "PausePoller", Method: post, Path: "/pollers/{name}/pause", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "stops a poller for now"}, pausePoller),
		define(operation{Name: "ResumePoller", Method: post, Path: "/pollers/{name}/resume", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "goes on polling where it was"}, resumePoller),
		define(operation{Name: "PollNow", Method: post, Path: "/pollers/{name}/poll", Permission: everywhere(identity.Developer).reading(), Summary: "wakes a poller before its time"}, pollNow),
		define(operation{Name: "TestPoller", Method: post, Path: "/pollers/{name}/test", Permission: everywhere(identity.Security).reading(), Summary: "asks a poller's system for a first page and keeps nothing of it"}, testPoller),
		define(operation{Name: "TestRelay", Method: post, Path: "/relay/{name}/test", Permission: everywhere(identity.Security).reading(), Summary: "sends one span of Reeve's own to a destination and says how that went"}, testRelay),
		define(operation{Name: "VerifyAudit", Method: get, Path: "/audit/verify", Permission: everywhere(identity.Auditor), Summary: "walks both logs and says whether they hold"}, verifyAudit),
		// The log of decisions is the record of what these do.
		define(operation{Name: "Decide", Method: post, Path: "/decisions", Permission: rows(identity.Developer), Audit: AuditChange, Idempotent: true, Summary: "decides and records an action that does not pass the door; who asks acts by the answer"}, decide),
		define(operation{Name: "AwaitDecision", Method: get, Path: "/decisions/{id}/answer", Permission: rows(identity.Developer), Summary: "tells how a held action stands, or waits for it"}, awaitDecision),
		define(operation{Name: "CompleteDecision", Method: post, Path: "/decisions/{id}/complete", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "reports how an action ended that was allowed and did not pass the door"}, completeDecision),
		define(operation{Name: "ListCoverage", Method: get, Path: "/coverage", Permission: rows(identity.Viewer), Summary: "lists how much of what agents do was decided, the least covered first"}, listCoverage),
		define(operation{Name: "GetDecision", Method: get, Path: "/decisions/{id}", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "reads a decision and, for readers, the request that was decided"}, getDecision),

		// Questions.
		define(operation{Name: "Query", Method: post, Path: "/query", Permission: rows(identity.Viewer).reading(), Summary: "answers an aggregate question over runs, steps, decisions, messages or logs"}, query),
		define(operation{Name: "SearchFields", Method: get, Path: "/search/fields", Permission: rows(identity.Viewer), Summary: "lists the fields of the search language with their known values"}, searchFields),
		define(operation{Name: "CompleteSearch", Method: get, Path: "/search/complete", Permission: rows(identity.Viewer), Summary: "proposes how a search could go on"}, completeSearch),
		define(operation{Name: "Overview", Method: get, Path: "/overview", Permission: rows(identity.Viewer), Summary: "answers whether the agents help and what needs a person"}, overview),
		events(operation{Name: "Events", Method: get, Path: "/events", Permission: rows(identity.Viewer), Summary: "follows what changes, as server-sent events that resume from Last-Event-ID"}, follow),

		// Reeve itself.
		define(operation{Name: "Health", Method: get, Path: "/health", Permission: signedIn(), Summary: "tells how Reeve itself is"}, health),
		define(operation{Name: "Notices", Method: get, Path: "/notices", Permission: public(), Summary: "lists what everybody should know, with buttons"}, notices),
		render[struct{}, map[string]any](operation{Name: "OpenAPI", Method: get, Path: "/openapi.json", Permission: public(), Summary: "describes this API"}, openAPI),

		// Agents and their keys. The register checks the roles for the agent's team.
		define(operation{Name: "ListAgents", Method: get, Path: "/agents", Permission: rows(identity.Viewer), Summary: "lists registered agents by name"}, listAgents),
		define(operation{Name: "CreateAgent", Method: post, Path: "/agents", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Idempotent: true, Summary: "registers an agent as draft or pilot"}, createAgent),
		define(operation{Name: "GetAgent", Method: get, Path: "/agents/{name}", Permission: rows(identity.Viewer), Summary: "reads a registered agent"}, getAgent),
		define(operation{Name: "UpdateAgent", Method: patch, Path: "/agents/{name}", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "changes an agent"}, updateAgent),
		define(operation{Name: "PromoteAgent", Method: post, Path: "/agents/{name}/promote", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "takes an agent a step along its lifecycle, or back; into production needs security"}, promoteAgent),
		define(operation{Name: "ContainAgent", Method: post, Path: "/agents/{name}/contain", Permission: rows(identity.Responder, identity.Security), Audit: AuditChange, Summary: "narrows what an agent may do, until a time or until it is released"}, containAgent),
		twoPeople(define(operation{Name: "ReleaseAgent", Method: post, Path: "/agents/{name}/release", Permission: rows(identity.Security).freshly(), Audit: AuditChange, Summary: "ends a containment; it revives no credential; from quarantine a second person confirms it"}, releaseAgent), askRelease),
		define(operation{Name: "RetireAgent", Method: post, Path: "/agents/{name}/retire", Permission: rows(identity.Security), Audit: AuditChange, Summary: "ends an agent for good, and its keys with it; its name is never used again"}, retireAgent),
		define(operation{Name: "MergeAgent", Method: post, Path: "/agents/{name}/merge", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "says that an agent is another registered one, which takes its names and telemetry; its credentials die"}, mergeAgent),
		define(operation{Name: "UnmergeAgent", Method: post, Path: "/agents/{name}/unmerge", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "takes a merge back; the agent needs new credentials"}, unmergeAgent),
		define(operation{Name: "ListAgentKeys", Method: get, Path: "/agents/{name}/keys", Permission: rows(identity.Developer, identity.Responder, identity.Security, identity.Auditor), Summary: "lists the keys of an agent, the newest first"}, listAgentKeys),
		define(operation{Name: "CreateAgentKey", Method: post, Path: "/agents/{name}/keys", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "makes a key of an agent; its text is shown once"}, createAgentKey),
		define(operation{Name: "RevokeAgentKey", Method: del, Path: "/agents/{name}/keys/{id}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "ends a key of an agent"}, revokeAgentKey),
		define(operation{Name: "LeakedKey", Method: post, Path: "/keys/leaked", Permission: public(), Audit: AuditChange, Summary: "ends an agent key by its text: who holds it may; the answer never says whether it lived"}, leakedKey),

		// Agents as they are observed.
		define(operation{Name: "MatchAgent", Method: get, Path: "/match-agent", Permission: rows(identity.Viewer), Summary: "says which registered agent telemetry would be matched to, and by which rule"}, matchAgent),
		define(operation{Name: "ListAgentClaims", Method: get, Path: "/agents/{name}/claims", Permission: rows(identity.Viewer), Summary: "lists the names under which an agent's telemetry came, each with the rule that matched it"}, listAgentClaims),
		define(operation{Name: "AgentSummary", Method: get, Path: "/agents/{name}/summary", Permission: rows(identity.Viewer), Summary: "answers whether an agent may go on, with what its page shows first"}, agentSummary),
		define(operation{Name: "AgentTimeline", Method: get, Path: "/agents/{name}/timeline", Permission: rows(identity.Viewer), Summary: "lists what happened to an agent: changes, versions, keys, waivers, the newest first"}, agentTimeline),
		define(operation{Name: "ListAgentRevisions", Method: get, Path: "/agents/{name}/revisions", Permission: rows(identity.Viewer), Summary: "lists what people set of an agent, with author and reason, the newest first"}, listRevisions),
		define(operation{Name: "ListAgentVersions", Method: get, Path: "/agents/{name}/versions", Permission: rows(identity.Viewer), Summary: "lists what an agent was observed to be made of, the newest first"}, listVersions),
		define(operation{Name: "ApproveAgentVersion", Method: post, Path: "/agents/{name}/versions/{hash}/approve", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "says that a version is what the agent should be"}, approveVersion),
		render[client.InventoryRequest, client.Inventory](operation{Name: "AgentInventory", Method: get, Path: "/agents/{name}/inventory", Permission: rows(identity.Viewer), Summary: "lists what an agent was observed to use; format=cyclonedx gives a bill of materials"}, getInventory),
		define(operation{Name: "AgentInventoryChanges", Method: get, Path: "/agents/{name}/inventory/changes", Permission: rows(identity.Viewer), Summary: "compares what an agent used in the days up to two dates"}, inventoryChanges),
		define(operation{Name: "ApproveAgentPart", Method: post, Path: "/agents/{name}/inventory/approve", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "says that a part of an agent is known, or no longer"}, approvePart),
		define(operation{Name: "GetStandard", Method: get, Path: "/standard", Permission: rows(identity.Viewer), Summary: "reads the standard that agents keep to"}, getStandard),
		define(operation{Name: "Conformance", Method: get, Path: "/standard/conformance", Permission: rows(identity.Viewer), Summary: "counts by team how many agents keep to the standard"}, conformance),
		define(operation{Name: "ListWaivers", Method: get, Path: "/standard/waivers", Permission: rows(identity.Viewer), Summary: "lists the waivers that hold, the first to end first"}, listWaivers),
		define(operation{Name: "WaiveStandard", Method: post, Path: "/agents/{name}/waivers", Permission: rows(identity.Security).onlyPeople(), Audit: AuditChange, Summary: "lets an agent break a rule of the standard until a date"}, waive),
		define(operation{Name: "EndWaiver", Method: del, Path: "/agents/{name}/waivers/{rule}", Permission: rows(identity.Security), Audit: AuditChange, Summary: "ends a waiver"}, unwaive),
		define(operation{Name: "AdoptAgents", Method: post, Path: "/agents/adopt", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "registers unknown agents together, in observe"}, adoptAgents),
		define(operation{Name: "ListUnknownAgents", Method: get, Path: "/unknown-agents", Permission: rows(identity.Viewer), Summary: "lists agents that were seen and are not registered, the last seen first"}, listUnknownAgents),
		define(operation{Name: "GetUnknownAgent", Method: get, Path: "/unknown-agents/{id}", Permission: rows(identity.Viewer), Summary: "reads an unknown agent with its first evidence"}, getUnknownAgent),
		define(operation{Name: "RegisterUnknownAgent", Method: post, Path: "/unknown-agents/{id}/register", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "registers an unknown agent as a pilot in observe"}, registerUnknownAgent),
		define(operation{Name: "MergeUnknownAgent", Method: post, Path: "/unknown-agents/{id}/merge", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "makes an unknown agent a registered one, by an alias"}, mergeUnknownAgent),
		define(operation{Name: "BlockUnknownAgent", Method: post, Path: "/unknown-agents/{id}/block", Permission: rows(identity.Responder, identity.Security), Audit: AuditChange, Summary: "refuses at the door whoever calls itself by an unknown agent's name"}, blockUnknownAgent),
		define(operation{Name: "DismissUnknownAgent", Method: post, Path: "/unknown-agents/{id}/dismiss", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "takes an unknown agent off the list"}, dismissUnknownAgent),
		define(operation{Name: "UndoUnknownAgent", Method: post, Path: "/unknown-agents/{id}/undo", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "takes back what was decided of an unknown agent"}, undoUnknownAgent),

		// What proves an agent. The handlers check the roles for the agent's team.
		define(operation{Name: "ListAgentJWKs", Method: get, Path: "/agents/{name}/jwks", Permission: rows(identity.Developer, identity.Responder, identity.Security, identity.Auditor), Summary: "lists the public keys with which an agent signs client assertions"}, listAgentJWKs),
		define(operation{Name: "AddAgentJWKs", Method: post, Path: "/agents/{name}/jwks", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "registers public keys of an agent, as a JWK or a JWK set"}, addAgentJWKs),
		define(operation{Name: "RemoveAgentJWK", Method: del, Path: "/agents/{name}/jwks/{kid}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "takes a public key of an agent away"}, removeAgentJWK),
		define(operation{Name: "GetAgentOAuth", Method: get, Path: "/agents/{name}/oauth", Permission: rows(identity.Viewer), Summary: "tells what an agent may ask of the token endpoint"}, getAgentOAuth),
		define(operation{Name: "PutAgentOAuth", Method: http.MethodPut, Path: "/agents/{name}/oauth", Permission: rows(identity.Security), Audit: AuditChange, Summary: "says what an agent may ask of the token endpoint"}, putAgentOAuth),
		define(operation{Name: "ListJoinTokens", Method: get, Path: "/agents/{name}/join-tokens", Permission: rows(identity.Developer, identity.Responder, identity.Security, identity.Auditor), Summary: "lists the join tokens of an agent, never their texts"}, listJoinTokens),
		define(operation{Name: "CreateJoinToken", Method: post, Path: "/agents/{name}/join-tokens", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "makes a token by which one instance of an agent enrols; it is shown once"}, createJoinToken),
		define(operation{Name: "RevokeJoinToken", Method: del, Path: "/agents/{name}/join-tokens/{id}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "ends an unused join token"}, revokeJoinToken),
		define(operation{Name: "CreateAgentSVID", Method: post, Path: "/agents/{name}/svids", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "makes a certificate of a new instance of an agent for a certificate request"}, createAgentSVID),
		define(operation{Name: "RevokeCredential", Method: post, Path: "/agents/{name}/credentials/revoke", Permission: rows(identity.Responder, identity.Security), Audit: AuditChange, Summary: "ends one credential of an agent: a token by its jti, with what was exchanged from it, or a certificate by its serial"}, revokeCredential),
		define(operation{Name: "ListWorkloads", Method: get, Path: "/agents/{name}/workloads", Permission: rows(identity.Developer, identity.Responder, identity.Security, identity.Auditor), Summary: "lists which processes of this host are an agent"}, listWorkloads),
		define(operation{Name: "CreateWorkload", Method: post, Path: "/agents/{name}/workloads", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Status: created, Summary: "registers processes of this host as an agent"}, createWorkload),
		define(operation{Name: "DeleteWorkload", Method: del, Path: "/agents/{name}/workloads/{id}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "ends a workload's registration"}, deleteWorkload),
		define(operation{Name: "ListTokenIssuers", Method: get, Path: "/issuers", Permission: everywhere(identity.Security), Summary: "lists the outside issuers whose tokens are taken"}, listTokenIssuers),
		define(operation{Name: "PutTokenIssuer", Method: http.MethodPut, Path: "/issuers/{name}", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "registers an outside issuer, or replaces a registration"}, putTokenIssuer),
		define(operation{Name: "DeleteTokenIssuer", Method: del, Path: "/issuers/{name}", Permission: everywhere(identity.Security), Audit: AuditChange, Summary: "takes no more tokens of an outside issuer"}, deleteTokenIssuer),
		define(operation{Name: "GetAuthority", Method: get, Path: "/ca", Permission: rows(identity.Viewer), Summary: "tells what the certificate authority is, with its roots"}, getAuthority),
		define(operation{Name: "RotateAuthority", Method: post, Path: "/ca/rotate", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "makes a new root; compromised drops the old one and all that it signed at once"}, rotateAuthority),

		// What the door forwards to.
		define(operation{Name: "ListUpstreams", Method: get, Path: "/upstreams", Permission: rows(identity.Viewer), Summary: "lists upstreams with their health, never their credentials"}, listUpstreams),
		define(operation{Name: "GetUpstream", Method: get, Path: "/upstreams/{name}", Permission: rows(identity.Viewer), Summary: "reads an upstream"}, getUpstream),
		define(operation{Name: "GetPeerCard", Method: get, Path: "/upstreams/{name}/card", Permission: rows(identity.Viewer), Summary: "reads the card of a peer as it was fetched, and whether people accepted it"}, getPeerCard),
		within(define(operation{Name: "PutUpstream", Method: http.MethodPut, Path: "/upstreams/{name}", Permission: where(identity.Security), Audit: AuditChange, Summary: "makes or replaces an upstream; one that leads elsewhere loses its credential"}, putUpstream),
			func(r *client.PutUpstreamRequest) (string, string) { return r.Team, r.Environment }),
		define(operation{Name: "ConnectUpstream", Method: http.MethodPost, Path: "/upstreams/{name}/connection", Permission: rows(identity.Security), Audit: AuditChange, Summary: "begins to connect an upstream to its authorization server"}, connectUpstream),
		define(operation{Name: "FinishUpstreamConnection", Method: http.MethodPost, Path: "/upstreams/{name}/connection/finish", Permission: rows(identity.Security), Audit: AuditChange, Summary: "finishes it with what the authorization server said"}, finishUpstreamConnection),
		define(operation{Name: "DisconnectUpstream", Method: del, Path: "/upstreams/{name}/connection", Permission: rows(identity.Security), Audit: AuditChange, Summary: "gives up what was granted for an upstream"}, disconnectUpstream),
		define(operation{Name: "DeleteUpstream", Method: del, Path: "/upstreams/{name}", Permission: rows(identity.Security), Audit: AuditChange, Summary: "removes an upstream and its credential"}, deleteUpstream),

		// The tools of MCP servers. Accepting one is approving what a model is told and
		// may do: a person with a fresh second factor.
		// What detectors saw, and what follows from it. Who judges and tunes is held
		// by the team of what it is about.
		define(operation{Name: "ListFindings", Method: get, Path: "/findings", Permission: rows(identity.Viewer), Summary: "lists what detectors saw, the newest first, with what other parts found"}, listFindings),
		define(operation{Name: "GetFinding", Method: get, Path: "/findings/{id}", Permission: rows(identity.Viewer), Summary: "reads a finding with its evidence and what was done about it"}, getFinding),
		define(operation{Name: "JudgeFinding", Method: post, Path: "/findings/{id}/judge", Permission: rows(identity.Developer, identity.Responder, identity.Security).onlyPeople(), Audit: AuditChange, Summary: "says that a finding was useful or noise, or takes that back"}, judgeFinding),
		define(operation{Name: "FalseAlarm", Method: post, Path: "/findings/{id}/false-alarm", Permission: rows(identity.Responder, identity.Security).freshly(), Audit: AuditChange, Summary: "calls a finding noise and takes back what Reeve did because of it"}, falseAlarm),
		define(operation{Name: "ListDetectors", Method: get, Path: "/detectors", Permission: rows(identity.Viewer), Summary: "lists detectors with what is wanted of them and what people said of their findings"}, listDetectors),
		define(operation{Name: "PutDetector", Method: http.MethodPut, Path: "/detectors/{name}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "says what is wanted of a detector, by effect: alarms a week, smallest effect"}, putDetector),
		define(operation{Name: "ResetDetector", Method: del, Path: "/detectors/{name}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "goes back to what is wanted of a detector for all agents, or by default"}, resetDetector),
		define(operation{Name: "ListRules", Method: get, Path: "/rules", Permission: rows(identity.Viewer), Summary: "lists the rules that people wrote"}, listRules),
		define(operation{Name: "GetRule", Method: get, Path: "/rules/{name}", Permission: rows(identity.Viewer), Summary: "reads a rule"}, getRule),
		define(operation{Name: "ListRuleRevisions", Method: get, Path: "/rules/{name}/revisions", Permission: rows(identity.Viewer), Summary: "lists the versions of a rule, the newest first"}, ruleRevisions),
		define(operation{Name: "PutRule", Method: http.MethodPut, Path: "/rules/{name}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "makes or changes a rule"}, putRule),
		define(operation{Name: "DeleteRule", Method: del, Path: "/rules/{name}", Permission: rows(identity.Developer, identity.Responder, identity.Security), Audit: AuditChange, Summary: "drops a rule; its versions stay"}, deleteRule),
		define(operation{Name: "TryRule", Method: post, Path: "/rules/try", Permission: rows(identity.Viewer).reading(), Summary: "says when a rule would have held in the last days, without keeping it"}, tryRule),
		define(operation{Name: "ListRuleWords", Method: get, Path: "/rule-words", Permission: rows(identity.Viewer), Summary: "lists what a rule may ask about"}, ruleWords),
		define(operation{Name: "AgentBehaviour", Method: get, Path: "/agents/{name}/behaviour", Permission: rows(identity.Viewer), Summary: "reads what was measured of an agent: series, tools, paths, hours, what is normal"}, agentBehaviour),
		define(operation{Name: "ListResponsePolicies", Method: get, Path: "/response-policies", Permission: rows(identity.Viewer), Summary: "lists what follows from which findings without a person"}, listResponsePolicies),
		define(operation{Name: "PutResponsePolicy", Method: http.MethodPut, Path: "/response-policies/{name}", Permission: rows(identity.Security).freshly(), Audit: AuditChange, Summary: "makes or changes a response policy; it observes unless it says enforce"}, putResponsePolicy),
		define(operation{Name: "DeleteResponsePolicy", Method: del, Path: "/response-policies/{name}", Permission: rows(identity.Security).freshly(), Audit: AuditChange, Summary: "drops a response policy; what it did stays"}, deleteResponsePolicy),
		define(operation{Name: "ListResponses", Method: get, Path: "/responses", Permission: rows(identity.Viewer), Summary: "lists what was done about findings, or would have been, the newest first"}, listResponses),
		define(operation{Name: "RevertResponse", Method: post, Path: "/responses/{id}/revert", Permission: rows(identity.Responder, identity.Security).freshly(), Audit: AuditChange, Summary: "takes a response back to what a person had set"}, revertResponse),
		define(operation{Name: "ApplyResponse", Method: post, Path: "/responses/{id}/apply", Permission: rows(identity.Responder, identity.Security).freshly(), Audit: AuditChange, Summary: "does what a braked or observing response policy would have done"}, applyResponse),

		define(operation{Name: "ListTools", Method: get, Path: "/tools", Permission: rows(identity.Viewer), Summary: "lists the tools of MCP servers, with what waits for a person and why"}, listTools),
		define(operation{Name: "UpstreamTools", Method: get, Path: "/tools/{upstream}", Permission: rows(identity.Viewer), Summary: "lists an upstream's tools with the digest by which all are accepted"}, upstreamTools),
		define(operation{Name: "GetTool", Method: get, Path: "/tools/{upstream}/{tool}", Permission: rows(identity.Viewer), Summary: "reads a tool with its versions, what changed, and what its definition suggests"}, getTool),
		define(operation{Name: "ToolDifference", Method: get, Path: "/tools/{upstream}/{tool}/difference", Permission: rows(identity.Viewer), Summary: "tells how two definitions of a tool differ, word by word and by path"}, toolDifference),
		define(operation{Name: "AcceptTool", Method: post, Path: "/tools/{upstream}/{tool}/accept", Permission: rows(identity.Security).freshly(), Audit: AuditChange, Summary: "accepts the definition of a tool that was shown, with its effect, data classes and paths"}, acceptTool),
		define(operation{Name: "HoldTool", Method: post, Path: "/tools/{upstream}/{tool}/hold", Permission: rows(identity.Security, identity.Responder), Audit: AuditChange, Summary: "makes a tool wait for a person again"}, holdTool),
		define(operation{Name: "AcceptTools", Method: post, Path: "/tools/{upstream}/accept", Permission: rows(identity.Security).freshly(), Audit: AuditChange, Summary: "accepts all tools of an upstream that wait and that nothing serious speaks against"}, acceptTools),
		define(operation{Name: "ForgetTool", Method: del, Path: "/tools/{upstream}/{tool}", Permission: rows(identity.Security).onlyPeople(), Audit: AuditChange, Summary: "drops a tool with its versions: the next list has it as new"}, forgetTool),
		define(operation{Name: "ListToolFindings", Method: get, Path: "/tool-findings", Permission: rows(identity.Viewer), Summary: "lists why tools are or were held, the newest first"}, listToolFindings),

		// Policies. The store checks the roles for the policy's team.
		define(operation{Name: "ListPolicies", Method: get, Path: "/policies", Permission: rows(identity.Viewer), Summary: "lists policies, guardrails first"}, listPolicies),
		define(operation{Name: "GetPolicy", Method: get, Path: "/policies/{name}", Permission: rows(identity.Viewer), Summary: "reads a policy"}, getPolicy),
		twoPeople(define(operation{Name: "PutPolicy", Method: http.MethodPut, Path: "/policies/{name}", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "makes or replaces a policy; a team's developers may do so in observe, security in enforce; a guardrail a second person confirms"}, putPolicy), askPutGuardrail),
		twoPeople(define(operation{Name: "DeletePolicy", Method: del, Path: "/policies/{name}", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "ends a policy; its revisions stay; of a guardrail a second person confirms it"}, deletePolicy), askDeleteGuardrail),
		twoPeople(define(operation{Name: "SetPolicyMode", Method: post, Path: "/policies/{name}/mode", Permission: rows(identity.Security), Audit: AuditChange, Summary: "puts a policy in observe or enforce"}, setPolicyMode), askGuardrailMode),
		twoPeople(define(operation{Name: "RestorePolicy", Method: post, Path: "/policies/{name}/restore", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "makes a policy again what it was at a revision, a deleted one too"}, restorePolicy), askRestoreGuardrail),
		define(operation{Name: "ListPolicyRevisions", Method: get, Path: "/policies/{name}/revisions", Permission: rows(identity.Viewer), Summary: "lists what a policy was, the newest first"}, listPolicyRevisions),
		define(operation{Name: "ValidatePolicy", Method: post, Path: "/policies/validate", Permission: rows(identity.Viewer).reading(), Summary: "tells what is wrong with a policy's text, by line and column"}, validatePolicy),

		// What may be spent. The ledger checks the roles for the budget's team.
		define(operation{Name: "Lint", Method: get, Path: "/lint", Permission: rows(identity.Viewer), Summary: "says what each agent's telemetry leaves out, what that costs, and what sets it"}, lint),
		define(operation{Name: "ListSources", Method: get, Path: "/sources", Permission: rows(identity.Viewer), Summary: "lists what agents read, with how fresh it is"}, listSources),
		define(operation{Name: "GetSource", Method: get, Path: "/sources/{name}", Permission: rows(identity.Viewer), Summary: "reads a source with its versions, jobs, checks and documents"}, getSource),
		define(operation{Name: "PutSource", Method: http.MethodPut, Path: "/sources/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "registers a source, or says how old it may be and who answers for it"}, putSource),
		define(operation{Name: "DeleteSource", Method: del, Path: "/sources/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "forgets a source and its history"}, deleteSource),
		define(operation{Name: "ListRunSources", Method: get, Path: "/runs/{id}/sources", Permission: rows(identity.Viewer), Summary: "says what the run read, in which version and how old it was then"}, listRunSources),

		// What is wrong, as outside systems say, and who says so. The register checks
		// the roles for the source's team.
		define(operation{Name: "ListAlerts", Method: get, Path: "/alerts", Permission: rows(identity.Viewer), Summary: "lists alerts, firing ones first, then the last changed"}, listAlerts),
		define(operation{Name: "GetAlert", Method: get, Path: "/alerts/{id}", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "reads an alert with its history and, for readers, its sender's own words"}, getAlert),
		define(operation{Name: "CloseAlert", Method: post, Path: "/alerts/{id}/close", Permission: rows(identity.Responder), Audit: AuditChange, Summary: "resolves an alert by hand; a new episode opens it again"}, closeAlert),
		define(operation{Name: "ListChanges", Method: get, Path: "/changes", Permission: rows(identity.Viewer), Summary: "lists what was changed and may show in how agents behave, the newest first"}, listChanges),
		define(operation{Name: "GetChange", Method: get, Path: "/changes/{id}", Permission: rows(identity.Viewer), Summary: "reads a change"}, getChange),
		// The change is its own record: whoever reports one records nothing else.
		define(operation{Name: "CreateChange", Method: post, Path: "/changes", Permission: rows(identity.Developer), Audit: AuditChange, Status: created, Idempotent: true, Summary: "reports a change: a deployment, a prompt, a model, a flag; the same key updates it"}, createChange),
		define(operation{Name: "ListFeedback", Method: get, Path: "/feedback", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "lists what people and downstream systems said of runs, the newest first"}, listFeedback),
		define(operation{Name: "GetFeedback", Method: get, Path: "/feedback/{id}", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "reads a feedback"}, getFeedback),
		define(operation{Name: "FeedbackSummary", Method: get, Path: "/feedback-summary", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "adds up what users said of agents and versions in a period, and how many said nothing"}, feedbackSummary),
		define(operation{Name: "CreateFeedback", Method: post, Path: "/feedback", Permission: rows(identity.Developer, identity.Responder), Audit: AuditChange, Status: created, Idempotent: true, Summary: "takes what a user or a system said of a run, by its id, trace, session or join key, before or after the run is told of"}, createFeedback),
		define(operation{Name: "BindFeedbackKey", Method: post, Path: "/feedback-keys", Permission: rows(identity.Developer, identity.Responder), Audit: AuditChange, Summary: "says which run a join key names"}, bindFeedbackKey),
		define(operation{Name: "CreateFeedbackLink", Method: post, Path: "/feedback-links", Permission: rows(identity.Developer, identity.Responder), Audit: AuditChange, Status: created, Summary: "makes signed links by which somebody without an account can say something of one run"}, createFeedbackLink),
		define(operation{Name: "TellFeedback", Method: post, Path: "/feedback/{id}/tell", Permission: rows(identity.Responder, identity.Developer), Audit: AuditChange, Summary: "notes what the person was told of what became of it, and answers with where to tell them"}, tellFeedback),
		define(operation{Name: "EraseFeedback", Method: post, Path: "/feedback-erasures", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "erases what was said and by whom, of one feedback or of a user; verdicts stay counted"}, eraseFeedback),
		define(operation{Name: "ListFeedbackForms", Method: get, Path: "/feedback-forms", Permission: rows(identity.Viewer), Summary: "lists the forms through which web pages send feedback"}, listFeedbackForms),
		define(operation{Name: "PutFeedbackForm", Method: http.MethodPut, Path: "/feedback-forms/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "makes or changes a form: the origins of the pages that may send"}, putFeedbackForm),
		define(operation{Name: "DeleteFeedbackForm", Method: del, Path: "/feedback-forms/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "removes a form; what it sent stays"}, deleteFeedbackForm),
		define(operation{Name: "ListAlertSources", Method: get, Path: "/alert-sources", Permission: rows(identity.Viewer), Summary: "lists who sends alerts and changes, with counts, never with secrets"}, listAlertSources),
		define(operation{Name: "GetAlertSource", Method: get, Path: "/alert-sources/{name}", Permission: rows(identity.Viewer), Summary: "reads a source of alerts or changes"}, getAlertSource),
		define(operation{Name: "PutAlertSource", Method: http.MethodPut, Path: "/alert-sources/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "registers a source of alerts or changes; a new one's secret is answered once"}, putAlertSource),
		define(operation{Name: "RotateAlertSource", Method: post, Path: "/alert-sources/{name}/rotate", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "gives a source a new secret; the old one is taken for a while"}, rotateAlertSource),
		define(operation{Name: "DeleteAlertSource", Method: del, Path: "/alert-sources/{name}", Permission: rows(identity.Developer), Audit: AuditChange, Summary: "removes a source and its secrets; what it sent stays"}, deleteAlertSource),
		define(operation{Name: "TryAlertSource", Method: post, Path: "/alert-sources/try", Permission: rows(identity.Viewer).reading(), Summary: "tells what a delivery would become, by a kind and its mapping; nothing is kept"}, tryAlertSource),

		define(operation{Name: "ListBudgets", Method: get, Path: "/budgets", Permission: rows(identity.Viewer), Summary: "lists budgets with what is spent of them"}, listBudgets),
		define(operation{Name: "GetBudget", Method: get, Path: "/budgets/{name}", Permission: rows(identity.Viewer), Summary: "reads a budget with the share of each that it counts for"}, getBudget),
		define(operation{Name: "PutBudget", Method: http.MethodPut, Path: "/budgets/{name}", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "makes or replaces a budget: a team's developers for its own agents, security for all"}, putBudget),
		define(operation{Name: "DeleteBudget", Method: del, Path: "/budgets/{name}", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "removes a budget"}, deleteBudget),

		define(operation{Name: "CheckPolicy", Method: post, Path: "/policies/check", Permission: rows(identity.Viewer).reading(), Summary: "tells what the door would say to an action of an agent, and why"}, checkPolicy),
		define(operation{Name: "SimulatePolicies", Method: post, Path: "/policies/simulate", Permission: rows(identity.Viewer).reading(), Summary: "tries policies, or another mode, on recorded decisions and lists every verdict that would change"}, simulatePolicies),
		define(operation{Name: "GetSimulation", Method: get, Path: "/simulations/{id}", Permission: rows(identity.Viewer), Summary: "reads a simulation of one's own, while it goes on too"}, getSimulation),
		define(operation{Name: "WouldRefuse", Method: get, Path: "/policies/would", Permission: rows(identity.Viewer), Summary: "counts what observing kept from being refused, by agent, resource and reason"}, wouldRefuse),
		define(operation{Name: "ProposePolicy", Method: post, Path: "/policies/propose", Permission: rows(identity.Viewer).reading(), Summary: "proposes the smallest policy that permits what an agent did, and tries it on the period before"}, proposePolicy),
		twoPeople(define(operation{Name: "EnforcePolicy", Method: post, Path: "/policies/{name}/enforce", Permission: rows(identity.Security), Audit: AuditChange, Summary: "enforces a policy once a simulation showed what that refuses; without one, answers with it"}, enforcePolicy), askEnforceGuardrail),
		define(operation{Name: "EnforceAgent", Method: post, Path: "/agents/{name}/enforce", Permission: rows(identity.Developer, identity.Security), Audit: AuditChange, Summary: "enforces an agent once a simulation showed what that refuses; without one, answers with it"}, enforceAgent),
		define(operation{Name: "BreakGlass", Method: post, Path: "/agents/{name}/break-glass", Permission: rows(identity.Responder, identity.Security).onlyPeople(), Audit: AuditChange, Summary: "sets an agent to observe for at most an hour, in an emergency; everybody is told"}, breakGlass),

		// What content may hold. A rule changes what is kept of everybody's words, so
		// that only security, and a person, sets it.
		define(operation{Name: "ListContentRules", Method: get, Path: "/content-rules", Permission: rows(identity.Viewer), Summary: "lists the rules for secrets and personal data in content"}, listContentRules),
		define(operation{Name: "GetContentRule", Method: get, Path: "/content-rules/{name}", Permission: rows(identity.Viewer), Summary: "reads a content rule"}, getContentRule),
		define(operation{Name: "PutContentRule", Method: http.MethodPut, Path: "/content-rules/{name}", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "makes or replaces a content rule; it is in force for the next call"}, putContentRule),
		define(operation{Name: "DeleteContentRule", Method: del, Path: "/content-rules/{name}", Permission: everywhere(identity.Security).freshly(), Audit: AuditChange, Summary: "removes a content rule"}, deleteContentRule),
		define(operation{Name: "ContentClasses", Method: get, Path: "/content-classes", Permission: rows(identity.Viewer), Summary: "lists what can be found in content"}, contentClasses),
		define(operation{Name: "TryContent", Method: post, Path: "/content-rules/try", Permission: rows(identity.Viewer).reading(), Summary: "tells what the rules find in a text and what would become of it; nothing is kept"}, tryContent),

		// What is stopped.
		define(operation{Name: "ListStops", Method: get, Path: "/stops", Permission: rows(identity.Viewer), Summary: "lists stops, the newest first, with their receipts"}, listStops),
		define(operation{Name: "CreateStop", Method: post, Path: "/stops", Permission: rows(identity.Responder), Audit: AuditChange, Status: created, Summary: "stops a target: cuts its calls in flight, kills an agent's credentials and refuses new calls; answers with the receipt"}, createStop),
		define(operation{Name: "PreviewStop", Method: post, Path: "/stops/preview", Permission: rows(identity.Responder).reading(), Summary: "tells what a stop would cut now"}, previewStop),
		define(operation{Name: "LiftStop", Method: post, Path: "/stops/{id}/lift", Permission: rows(identity.Responder).freshly(), Audit: AuditChange, Summary: "ends a stop; it revives no credential"}, liftStop),

		// Actions that wait for a person.
		define(operation{Name: "ListApprovals", Method: get, Path: "/approvals", Permission: signedIn(), Audit: AuditContent, Summary: "lists held actions, the newest first; those that wait unless state says otherwise"}, listApprovals),
		define(operation{Name: "ApprovalIndicators", Method: get, Path: "/approvals/indicators", Permission: rows(identity.Viewer), Summary: "tells how held actions were answered: how soon, by whom, and how many without being looked at"}, approvalIndicators),
		define(operation{Name: "GetApproval", Method: get, Path: "/approvals/{id}", Permission: signedIn(), Audit: AuditContent, Summary: "reads a held action: what will happen, with which arguments, who agreed, how the like was answered"}, getApproval),
		define(operation{Name: "OpenApproval", Method: post, Path: "/approvals/{id}/opened", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "notes that one looked at a held action"}, openApproval),
		define(operation{Name: "Approve", Method: post, Path: "/approvals/{id}/approve", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "agrees to a held action with exactly the arguments of the hash"}, approve),
		define(operation{Name: "DenyApproval", Method: post, Path: "/approvals/{id}/deny", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "denies a held action, and the same again for a day"}, denyApproval),
		define(operation{Name: "EditApproval", Method: post, Path: "/approvals/{id}/edit", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "agrees to a held action with other arguments, which are decided on again"}, editApproval),
		define(operation{Name: "TakeOver", Method: post, Path: "/approvals/{id}/takeover", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "does a held action instead of the agent, or gives its result; further calls of the run are held"}, takeOver),
		define(operation{Name: "GiveBack", Method: post, Path: "/approvals/{id}/give-back", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "lets a run that was taken over go on"}, giveBack),

		// People.
		define(operation{Name: "Me", Method: get, Path: "/me", Permission: signedIn(), Summary: "tells who asks and what they may do"}, me),
		define(operation{Name: "Setup", Method: get, Path: "/setup", Permission: public(), Summary: "tells whether the first account is still to be made"}, setup),
		define(operation{Name: "SignIn", Method: post, Path: "/sign-ins", Permission: public(), Audit: AuditChange, Status: created, Summary: "signs in with name and password"}, signIn),
		define(operation{Name: "ListSignIns", Method: get, Path: "/sign-ins", Permission: own(identity.Admin), Summary: "lists one's sessions; an admin may ask for everybody's"}, listSignIns),
		define(operation{Name: "EndSignIn", Method: del, Path: "/sign-ins/{id}", Permission: own(identity.Admin), Audit: AuditChange, Summary: "ends a session; current ends the one that asks"}, endSignIn),
		define(operation{Name: "ListPeople", Method: get, Path: "/people", Permission: rows(identity.Viewer), Summary: "lists people with their teams and roles"}, listPeople),
		define(operation{Name: "CreatePerson", Method: post, Path: "/people", Permission: everywhere(identity.Admin).onlyPeople().orSetup(), Audit: AuditChange, Status: created, Summary: "makes an account; with the admin token the first one, an admin, and the token dies"}, createPerson),
		twoPeople(define(operation{Name: "UpdatePerson", Method: patch, Path: "/people/{id}", Permission: own(identity.Admin).onlyPeople(), Audit: AuditChange, Summary: "changes an account: name and password; as an admin also teams, disabled, and roles, which a second person confirms"}, updatePerson), askRoles),

		// Second factors, and changes that need two people.
		define(operation{Name: "ListFactors", Method: get, Path: "/people/{id}/factors", Permission: own(identity.Admin), Summary: "lists second factors: one's own (me), or anybody's for an admin"}, listFactors),
		define(operation{Name: "BeginFactor", Method: post, Path: "/me/factors", Permission: signedIn().onlyPeople(), Audit: AuditChange, Status: created, Summary: "enrols a device for one-time codes; its secret is shown once"}, beginFactor),
		define(operation{Name: "ConfirmFactor", Method: post, Path: "/me/factors/{id}/confirm", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "shows a first code, so that the device counts; the first device brings recovery codes"}, confirmFactor),
		define(operation{Name: "RemoveFactor", Method: del, Path: "/factors/{id}", Permission: own(identity.Admin).freshly(), Audit: AuditChange, Summary: "takes a second factor away; the person's other sessions end"}, removeFactor),
		define(operation{Name: "RenewRecoveryCodes", Method: post, Path: "/me/recovery-codes", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "gives new recovery codes for the old ones"}, renewRecovery),
		define(operation{Name: "ShowFactor", Method: post, Path: "/me/fresh", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "shows a code of the second factor, which dangerous acts need within five minutes"}, refreshFactor),
		define(operation{Name: "BeginPasskey", Method: post, Path: "/me/passkeys", Permission: signedIn().onlyPeople(), Audit: AuditChange, Status: created, Summary: "enrols a passkey of the browser that asks"}, beginPasskey),
		define(operation{Name: "ConfirmPasskey", Method: post, Path: "/me/passkeys/{id}/confirm", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "takes the browser's new passkey, so that it counts; the first factor brings recovery codes"}, confirmPasskey),
		define(operation{Name: "AskPasskey", Method: post, Path: "/me/fresh/passkey/options", Permission: signedIn().reading().onlyPeople(), Summary: "gives what a browser is asked with for one of one's own passkeys"}, askPasskey),
		define(operation{Name: "ShowPasskey", Method: post, Path: "/me/fresh/passkey", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "shows a passkey, which dangerous acts need within five minutes"}, showPasskey),
		define(operation{Name: "AskPasskeySignIn", Method: post, Path: "/sign-ins/passkey/options", Permission: public(), Summary: "gives what a browser is asked with for a passkey to sign in with"}, askPasskey),
		define(operation{Name: "SignInWithPasskey", Method: post, Path: "/sign-ins/passkey", Permission: public(), Audit: AuditChange, Status: created, Summary: "signs in with a passkey, without a password"}, signInWithPasskey),
		define(operation{Name: "RedeemSignIn", Method: post, Path: "/sign-ins/redeem", Permission: public(), Audit: AuditChange, Summary: "fetches the session that a provider's sign-in opened, once and with its cookie"}, redeemSignIn),
		define(operation{Name: "ListProposals", Method: get, Path: "/proposals", Permission: signedIn(), Summary: "lists changes that wait for a second person, or did: one's own and those one may confirm"}, listProposals),
		define(operation{Name: "ConfirmProposal", Method: post, Path: "/proposals/{id}/confirm", Permission: signedIn().freshly(), Audit: AuditChange, Summary: "makes a change that another person asked for"}, confirmProposal),
		define(operation{Name: "DeclineProposal", Method: post, Path: "/proposals/{id}/decline", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "refuses a change that another person asked for"}, declineProposal),
		define(operation{Name: "WithdrawProposal", Method: post, Path: "/proposals/{id}/withdraw", Permission: signedIn().onlyPeople(), Audit: AuditChange, Summary: "takes back a change that one asked for"}, withdrawProposal),
		define(operation{Name: "ListTeams", Method: get, Path: "/teams", Permission: rows(identity.Viewer), Summary: "lists teams"}, listTeams),
		define(operation{Name: "CreateTeam", Method: post, Path: "/teams", Permission: everywhere(identity.Admin), Audit: AuditChange, Status: created, Idempotent: true, Summary: "makes a team"}, createTeam),
		define(operation{Name: "ListTokens", Method: get, Path: "/tokens", Permission: own(identity.Admin), Summary: "lists one's tokens; an admin may ask for everybody's"}, listTokens),
		define(operation{Name: "CreateToken", Method: post, Path: "/tokens", Permission: signedIn().onlyPeople(), Audit: AuditChange, Status: created, Idempotent: true, Summary: "makes a token with at most one's own roles; its secret is shown once"}, createToken),
		define(operation{Name: "RevokeToken", Method: del, Path: "/tokens/{id}", Permission: own(identity.Admin), Audit: AuditChange, Summary: "ends a token"}, revokeToken),
		define(operation{Name: "GetRunOutcome", Method: get, Path: "/runs/{id}/outcome", Permission: rows(identity.Viewer), Summary: "says how a run ended for its user, and why it counts so"}, runOutcome),
		define(operation{Name: "DecideOutcome", Method: post, Path: "/runs/{id}/outcome", Permission: rows(outcomeRoles...).onlyPeople(), Audit: AuditChange, Summary: "says how a run ended; it holds over all evidence"}, decideOutcome),
		define(operation{Name: "ReportOutcome", Method: post, Path: "/outcome-evidence", Permission: rows(outcomeRoles...), Audit: AuditChange, Status: created, Summary: "reports what a downstream system, a user or a judge says of how a run ended; the run may come later"}, reportOutcome),
		define(operation{Name: "ListEvidence", Method: get, Path: "/outcome-evidence", Permission: rows(identity.Viewer), Summary: "lists evidence about outcomes, the newest first"}, listEvidence),
		define(operation{Name: "ListOutcomeRules", Method: get, Path: "/outcome-rules", Permission: rows(identity.Viewer), Summary: "lists rules about outcomes, deadlines and stuck runs, and the settling windows"}, listOutcomeRules),
		define(operation{Name: "PutOutcomeRule", Method: http.MethodPut, Path: "/outcome-rules/{name}", Permission: rows(outcomeRoles...), Audit: AuditChange, Summary: "makes or changes a rule about outcomes"}, putOutcomeRule),
		define(operation{Name: "DeleteOutcomeRule", Method: del, Path: "/outcome-rules/{name}", Permission: rows(outcomeRoles...), Audit: AuditChange, Summary: "drops a rule about outcomes"}, deleteOutcomeRule),
		define(operation{Name: "ListInvoices", Method: get, Path: "/cost/invoices", Permission: everywhere(identity.Viewer), Summary: "lists invoices and usage exports of providers that were imported"}, listInvoices),
		define(operation{Name: "ImportInvoice", Method: post, Path: "/cost/invoices", Permission: everywhere(identity.Admin), Audit: AuditChange, Status: created, MaxBody: 64 << 20, Summary: "reads a provider's invoice or usage export; the same file again is the same invoice"}, importInvoice),
		define(operation{Name: "Reconcile", Method: get, Path: "/cost/invoices/{id}", Permission: everywhere(identity.Viewer), Summary: "holds an invoice against the model calls counted here, by day and model"}, reconcile),
		define(operation{Name: "DeleteInvoice", Method: del, Path: "/cost/invoices/{id}", Permission: everywhere(identity.Admin), Audit: AuditChange, Summary: "forgets an imported invoice"}, deleteInvoice),
		define(operation{Name: "ListFrameworks", Method: get, Path: "/connect", Permission: signedIn(), Summary: "lists how agents join, by what they are built with, filled in for this server"}, listFrameworks),
		within(define(operation{Name: "Connect", Method: post, Path: "/connect/{framework}", Permission: where(identity.Developer, identity.Security, identity.Admin), Audit: AuditChange, Status: created, Summary: "makes the keys that an agent needs to join, and what to copy with them in it, which is shown once"}, connectAgent),
			func(r *client.ConnectRequest) (string, string) { return r.Team, r.Environment }),
		define(operation{Name: "ConnectProgress", Method: get, Path: "/connect/progress", Permission: rows(identity.Viewer), Summary: "tells whether an agent's first step and decision have arrived, and what its telemetry leaves out"}, connectProgress),
		define(operation{Name: "ListIntakeKeys", Method: get, Path: "/intake-keys", Permission: rows(identity.Developer, identity.Security, identity.Admin, identity.Auditor), Summary: "lists intake keys of one's teams"}, listIntakeKeys),
		within(define(operation{Name: "CreateIntakeKey", Method: post, Path: "/intake-keys", Permission: where(identity.Developer, identity.Security, identity.Admin), Audit: AuditChange, Status: created, Idempotent: true, Summary: "makes a write-only key for a team's environment; its secret is shown once"}, createIntakeKey),
			func(r *client.CreateIntakeKeyRequest) (string, string) { return r.Team, r.Environment }),
		define(operation{Name: "RevokeIntakeKey", Method: del, Path: "/intake-keys/{id}", Permission: rows(identity.Developer, identity.Security, identity.Admin), Audit: AuditChange, Summary: "ends an intake key"}, revokeIntakeKey),
		define(operation{Name: "ListAudit", Method: get, Path: "/audit", Permission: everywhere(identity.Auditor), Summary: "lists the audit log, the newest first"}, listAudit),
	})
}
