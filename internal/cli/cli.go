// Package cli is the command line: one table of commands, each a thin user of
// the public client (serve, demo and bench excepted).
//
// What for: `reeve <noun> <verb>`; data on stdout, messages on stderr.
//
// Who calls it: cmd/reeve, and scripts in cmd/reeve/testdata as its tests.
//
// Promises: exit 0 done, 1 failed, 2 wrong usage, 3 refused; `-o json` on
// everything that prints data; nothing is read from a terminal unless said.
//
// How it fails: one line "reeve: error: …" and, where there is one, a second
// "reeve: hint: …".
//
// Start reading at commands and Main.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
)

// env is what a command may touch of the world.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one entry of the table. Run gets the words after the command's
// name and returns nil, an error, or an exitCode.
type command struct {
	name   string // "config check"
	args   string // what follows, for the usage line
	short  string // one line, lower case
	long   string // the manual; may be empty
	hidden bool
	run    func(ctx context.Context, e env, c *command, args []string) error
}

// exitCode ends the program with a code after everything was said already.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// errUsage marks wrong usage: exit code 2.
var errUsage = errors.New("wrong usage")

func commands() []command {
	return []command{
		{name: "serve", args: "[flags]", short: "run Reeve: console, API, intake", long: serveHelp, run: runServe},
		{name: "demo", args: "[flags]", short: "run Reeve with a small fleet of live agents to look at", long: demoHelp, run: runDemo},
		{name: "demo play", args: "NAME", short: "replay a story (hijack, outage, rogue, runaway, stale-data) in the running demo", run: runDemoPlay},
		{name: "run list", args: "[flags] [SEARCH]", short: "list runs; SEARCH is the console's search language", long: runListHelp, run: runRunList},
		{name: "health", args: "[flags]", short: "how Reeve itself is: its parts, and whom the door had to refuse", run: runHealth},
		{name: "run", args: "[flags] --agent NAME -- CMD...", short: "run a process as an agent, behind the door", long: runHelp, run: runRun},
		{name: "run get", args: "[flags] RUN", short: "show one run with its steps", run: runRunGet},
		{name: "run different", args: "[flags] SELECTION", short: "say what sets a selection of runs apart from the rest", long: differentHelp, run: runRunDifferent},
		{name: "run why", args: "[flags] RUN", short: "say why a run ended as it did, and what of that is unknown", long: whyHelp, run: runRunWhy},
		{name: "run suspects", args: "[flags] RUN", short: "rank the steps at which a run may have gone wrong first", long: suspectsHelp, run: runRunSuspects},
		{name: "run hold", args: "[flags] RUN", short: "make each further call of a live run wait for a person", long: steerHelp, run: runRunHold},
		{name: "run release", args: "[flags] RUN", short: "let a held run go on", long: steerHelp, run: runRunRelease},
		{name: "run tell", args: "[flags] RUN TEXT", short: "say something to a live run's model", long: steerHelp, run: runRunTell},
		{name: "run unsay", args: "[flags] RUN NOTE", short: "end a note that may still be told", long: steerHelp, run: runRunUnsay},
		{name: "run steering", args: "[flags] RUN", short: "show who holds a live run and what it was told", long: steerHelp, run: runRunSteering},
		{name: "query", args: "[flags] MEASURE...", short: "ask for figures over runs or steps", long: queryHelp, run: runQuery},
		{name: "log list", args: "[flags] [PHRASE]", short: "list log records that came by telemetry", long: logHelp, run: runLogList},
		{name: "metric list", args: "[flags] [NAME]", short: "list metric points that came by telemetry", run: runMetricList},
		{name: "key create", args: "[flags]", short: "make an intake key for senders", long: keyHelp, run: runKeyCreate},
		{name: "key list", args: "[flags]", short: "list intake keys", run: runKeyList},
		{name: "key revoke", args: "[flags] ID", short: "end an intake key", run: runKeyRevoke},
		{name: "agent create", args: "[flags] NAME", short: "register an agent", long: agentHelp, run: runAgentCreate},
		{name: "agent list", args: "[flags]", short: "list registered agents", run: runAgentList},
		{name: "agent get", args: "[flags] NAME", short: "show a registered agent", run: runAgentGet},
		{name: "agent set", args: "[flags] NAME", short: "change what is said of an agent: labels, owner, purpose", long: agentSetHelp, run: runAgentSet},
		{name: "agent promote", args: "[flags] NAME draft|pilot|production", short: "take an agent a step along its lifecycle", run: runAgentPromote},
		{name: "agent contain", args: "[flags] NAME throttled|supervised|read_only|quarantined", short: "narrow what an agent may do now", run: runAgentContain},
		{name: "agent marks", args: "[flags] [NAME]", short: "show how agents stand, the worst first, and why", run: runAgentMarks},
		{name: "agent pin", args: "[flags] NAME", short: "hold an agent to one model or version", long: pinHelp, run: runAgentPin},
		{name: "agent unpin", args: "[flags] NAME", short: "take a pin out", run: runAgentUnpin},
		{name: "agent release", args: "[flags] NAME", short: "end a containment", run: runAgentRelease},
		{name: "agent retire", args: "[flags] NAME", short: "end an agent for good", run: runAgentRetire},
		{name: "agent summary", args: "[flags] NAME", short: "answer whether an agent may go on", run: runAgentSummary},
		{name: "agent inventory", args: "[flags] NAME | --diff NAME FROM TO", short: "list what an agent was observed to use, or how that changed", long: inventoryHelp, run: runAgentInventory},
		{name: "agent part", args: "[flags] NAME KIND PART", short: "approve something that an agent uses", run: runAgentPart},
		{name: "agent versions", args: "[flags] NAME", short: "list what an agent was observed to be made of", run: runAgentVersions},
		{name: "agent approve", args: "[flags] NAME VERSION", short: "approve a version of an agent", run: runAgentApprove},
		{name: "agent timeline", args: "[flags] NAME", short: "list what happened to an agent", run: runAgentTimeline},
		{name: "agent behaviour", args: "[flags] NAME", short: "show what was measured of an agent, and what is normal of it", run: runAgentBehaviour},
		{name: "agent match", args: "[flags]", short: "say which agent telemetry would be matched to, and why", run: runAgentMatch},
		{name: "agent unknown", args: "[flags]", short: "list agents that were seen and are not registered", long: unknownHelp, run: runAgentUnknown},
		{name: "agent register", args: "[flags] UNKNOWN", short: "register an unknown agent, in observe", run: runAgentRegister},
		{name: "agent adopt", args: "[flags] UNKNOWN...|--all", short: "register unknown agents together, in observe", run: runAgentAdopt},
		{name: "agent merge", args: "[flags] UNKNOWN|AGENT AGENT", short: "say that an unknown or registered agent is another one", run: runAgentMergeUnknown},
		{name: "agent unmerge", args: "[flags] AGENT", short: "take the merge of two registered agents back", run: runAgentUnmerge},
		{name: "agent block", args: "[flags] UNKNOWN", short: "refuse an unknown agent's name at the door", run: runAgentBlock},
		{name: "agent dismiss", args: "[flags] UNKNOWN", short: "take an unknown agent off the list", run: runAgentDismiss},
		{name: "agent undo", args: "[flags] UNKNOWN", short: "take back what was decided of an unknown agent", run: runAgentUndo},
		{name: "agent enforce", args: "[flags] NAME", short: "show what enforcing would refuse, then enforce", run: runAgentEnforce},
		{name: "agent break-glass", args: "[flags] NAME", short: "let an agent go unenforced for at most an hour", run: runAgentBreakGlass},
		{name: "can", args: "[flags] AGENT ACTION RESOURCE", short: "say whether an agent may do something, and why; exit 3 when not", long: canHelp, run: runCan},
		{name: "agent key create", args: "[flags] AGENT", short: "make a key of an agent; it is shown once", run: runAgentKeyCreate},
		{name: "agent key list", args: "[flags] AGENT", short: "list the keys of an agent", run: runAgentKeyList},
		{name: "agent key revoke", args: "[flags] AGENT ID", short: "end a key of an agent", run: runAgentKeyRevoke},
		{name: "standard show", args: "[flags]", short: "print the standard that agents keep to", long: standardHelp, run: runStandardShow},
		{name: "standard conformance", args: "[flags]", short: "count by team how many agents keep to the standard", run: runStandardConformance},
		{name: "standard waive", args: "[flags] AGENT RULE", short: "let an agent break a rule until a date", run: runStandardWaive},
		{name: "standard unwaive", args: "[flags] AGENT RULE", short: "end a waiver", run: runStandardUnwaive},
		{name: "standard waivers", args: "[flags]", short: "list the waivers that hold", run: runStandardWaivers},
		{name: "agent jwk add", args: "[flags] AGENT FILE", short: "register an agent's public keys for the token endpoint", long: jwkHelp, run: runAgentJWKAdd},
		{name: "agent jwk list", args: "[flags] AGENT", short: "list an agent's public keys", run: runAgentJWKList},
		{name: "agent jwk remove", args: "[flags] AGENT KID", short: "take a public key of an agent away", run: runAgentJWKRemove},
		{name: "agent oauth", args: "[flags] AGENT", short: "show or say what an agent may ask of the token endpoint", long: oauthHelp, run: runAgentOAuth},
		{name: "agent join-token create", args: "[flags] AGENT", short: "make a token by which one instance enrols; it is shown once", long: joinHelp, run: runJoinTokenCreate},
		{name: "agent join-token list", args: "[flags] AGENT", short: "list the join tokens of an agent", run: runJoinTokenList},
		{name: "agent join-token revoke", args: "[flags] AGENT ID", short: "end an unused join token", run: runJoinTokenRevoke},
		{name: "agent workload add", args: "[flags] AGENT", short: "say which processes of the server's host are an agent", long: workloadHelp, run: runWorkloadAdd},
		{name: "agent workload list", args: "[flags] AGENT", short: "list an agent's workloads", run: runWorkloadList},
		{name: "agent workload remove", args: "[flags] AGENT ID", short: "end a workload's registration", run: runWorkloadRemove},
		{name: "agent credential revoke", args: "[flags] AGENT JTI|SERIAL", short: "end one token or certificate of an agent", run: runCredentialRevoke},
		{name: "svid", args: "[flags]", short: "get or renew an instance's certificate at the door", long: svidHelp, run: runSVID},
		{name: "issuer list", args: "[flags]", short: "list the outside issuers whose tokens are taken", run: runIssuerList},
		{name: "issuer set", args: "[flags] NAME FILE", short: "register an outside issuer", long: issuerHelp, run: runIssuerSet},
		{name: "issuer delete", args: "[flags] NAME", short: "take no more tokens of an outside issuer", run: runIssuerDelete},
		{name: "ca show", args: "[flags]", short: "show the certificate authority and its roots", run: runCAShow},
		{name: "ca rotate", args: "[flags]", short: "make a new root", long: caRotateHelp, run: runCARotate},
		{name: "stop", args: "[flags] AGENT|KIND=VALUE|everything", short: "stop an agent or another target: cut its calls, refuse new ones", long: stopHelp, run: runStop},
		{name: "stop list", args: "[flags]", short: "list the stops in force", run: runStopList},
		{name: "stop lift", args: "[flags] ID", short: "end a stop", run: runStopLift},
		{name: "approval list", args: "[flags]", short: "list held actions that wait for a person", long: approvalHelp, run: runApprovalList},
		{name: "approval show", args: "[flags] ID", short: "show what a held action would do, with its arguments", long: approvalHelp, run: runApprovalShow},
		{name: "approval approve", args: "[flags] ID", short: "agree to a held action with exactly these arguments", long: approvalHelp, run: runApprovalApprove},
		{name: "approval deny", args: "[flags] ID", short: "deny a held action, and the same again for a day", long: approvalHelp, run: runApprovalDeny},
		{name: "approval edit", args: "[flags] ID", short: "agree to a held action with other arguments", long: approvalHelp, run: runApprovalEdit},
		{name: "approval takeover", args: "[flags] ID", short: "do a held action instead of the agent, or give its result", long: approvalHelp, run: runApprovalTakeover},
		{name: "approval give-back", args: "[flags] ID", short: "let a run that was taken over go on", long: approvalHelp, run: runApprovalGiveBack},
		{name: "incident why", args: "[flags] INCIDENT", short: "say why an incident came about, by its runs and by what its agents stand on", long: incidentWhyHelp, run: runIncidentWhy},
		{name: "incident list", args: "[flags]", short: "list incidents, those that touch most people first", long: incidentHelp, run: runIncidentList},
		{name: "incident show", args: "[flags] INCIDENT", short: "show an incident: timeline, signals and why each is there", long: incidentHelp, run: runIncidentShow},
		{name: "incident open", args: "[flags] TITLE", short: "open an incident by hand", long: incidentHelp, run: runIncidentOpen},
		{name: "incident ack", args: "[flags] INCIDENT", short: "say that you look at an incident: paging ends", long: incidentHelp, run: incidentState((*client.Client).AcknowledgeIncident)},
		{name: "incident mitigate", args: "[flags] INCIDENT", short: "say that people are safe from an incident", long: incidentHelp, run: incidentState((*client.Client).MitigateIncident)},
		{name: "incident resolve", args: "[flags] INCIDENT", short: "end an incident", long: incidentHelp, run: incidentState((*client.Client).ResolveIncident)},
		{name: "incident reopen", args: "[flags] INCIDENT", short: "open an incident again", long: incidentHelp, run: incidentState((*client.Client).ReopenIncident)},
		{name: "incident note", args: "[flags] INCIDENT", short: "add words to an incident's timeline", long: incidentHelp, run: incidentState((*client.Client).NoteIncident)},
		{name: "incident set", args: "[flags] INCIDENT", short: "change title, severity, kind, owner and roles of an incident", long: incidentHelp, run: runIncidentSet},
		{name: "incident merge", args: "[flags] INCIDENT INTO", short: "make an incident part of another", long: incidentHelp, run: runIncidentMerge},
		{name: "incident split", args: "[flags] INCIDENT", short: "take signals out of an incident", long: incidentHelp, run: runIncidentSplit},
		{name: "incident undo", args: "[flags] ID", short: "take a merge, a split or an act back", long: incidentHelp, run: runIncidentUndo},
		{name: "incident act", args: "[flags] INCIDENT", short: "list, try or do what can be done about an incident", long: incidentHelp, run: runIncidentAct},
		{name: "incident review", args: "[flags] INCIDENT", short: "print the review of an incident as Markdown", long: incidentHelp, run: runIncidentReview},
		{name: "incident weights", args: "[flags]", short: "show by which weights signals are joined, and what verdicts changed", run: runIncidentWeights},
		{name: "oncall now", args: "[flags]", short: "show who is on call now and next", long: onCallHelp, run: runOnCallNow},
		{name: "oncall set", args: "[flags] SCHEDULE", short: "make or change a schedule of one rotation", long: onCallHelp, run: runOnCallSet},
		{name: "oncall override", args: "[flags] SCHEDULE", short: "put somebody on call for a time", long: onCallHelp, run: runOnCallOverride},
		{name: "oncall policy", args: "[flags] POLICY", short: "say who is called, and who next", long: onCallHelp, run: runOnCallPolicy},
		{name: "oncall contacts", args: "[flags] PERSON", short: "show or say how one is reached", long: onCallHelp, run: runOnCallContacts},
		{name: "oncall pages", args: "[flags]", short: "list whom Reeve called, and whether it arrived", long: onCallHelp, run: runOnCallPages},
		{name: "channel list", args: "[flags]", short: "list the ways to tell people", long: channelHelp, run: runChannelList},
		{name: "channel put", args: "[flags] CHANNEL", short: "make or change a channel", long: channelHelp, run: runChannelPut},
		{name: "channel try", args: "[flags] CHANNEL", short: "send a test message and tell what came of it; exit 1 when it was not sent", long: channelHelp, run: runChannelTry},
		{name: "channel deliveries", args: "[flags]", short: "list what was sent, with each answer", long: channelHelp, run: runChannelDeliveries},
		{name: "channel states", args: "[flags] CHANNEL", short: "list what its receiver told of what it was sent", long: channelHelp, run: runChannelStates},
		{name: "channel remove", args: "[flags] CHANNEL", short: "end a channel", long: channelHelp, run: runChannelRemove},
		{name: "silence list", args: "[flags]", short: "list silences and maintenance windows", long: silenceHelp, run: runSilenceList},
		{name: "runbook list", args: "[flags]", short: "list what is done about incidents, step by step", long: runbookHelp, run: runRunbookList},
		{name: "runbook put", args: "[flags] RUNBOOK", short: "make or change a runbook from a file", long: runbookHelp, run: runRunbookPut},
		{name: "runbook remove", args: "[flags] RUNBOOK", short: "end a runbook", long: runbookHelp, run: runRunbookRemove},
		{name: "runbook try", args: "[flags] INCIDENT RUNBOOK", short: "say what a runbook would do, without doing it", long: runbookHelp, run: runRunbookTry},
		{name: "runbook start", args: "[flags] INCIDENT RUNBOOK", short: "begin a runbook on an incident", long: runbookHelp, run: runRunbookStart},
		{name: "runbook runs", args: "[flags] INCIDENT", short: "list the runbooks that were run on an incident", long: runbookHelp, run: runRunbookRuns},
		{name: "runbook approve", args: "[flags] RUN", short: "agree to a runbook that somebody else proposed", long: runbookHelp, run: onRunbookRun((*client.Client).ApproveRunbook, "", "")},
		{name: "runbook step", args: "[flags] RUN", short: "do the next step of a runbook", long: runbookHelp, run: onRunbookRun((*client.Client).StepRunbook, "result", "what came of a step that a person does")},
		{name: "runbook roll-back", args: "[flags] RUN", short: "take back what a runbook did", long: runbookHelp, run: onRunbookRun((*client.Client).RollBackRunbook, "reason", "why; it is kept")},
		{name: "lesson list", args: "[flags]", short: "list what agents are to keep in mind", long: lessonHelp, run: runLessonList},
		{name: "lesson add", args: "[flags]", short: "give agents a lesson of an incident", long: lessonHelp, run: runLessonAdd},
		{name: "lesson show", args: "[flags] LESSON", short: "show a lesson, who read it and what came of it", long: lessonHelp, run: runLessonShow},
		{name: "lesson revoke", args: "[flags] LESSON", short: "take a lesson back", long: lessonHelp, run: runLessonRevoke},
		{name: "silence add", args: "[flags] MATCHER...", short: "keep matching signals from making incidents for a time", long: silenceHelp, run: runSilenceAdd},
		{name: "silence end", args: "[flags] ID", short: "end a silence", long: silenceHelp, run: runSilenceEnd},
		{name: "upstream list", args: "[flags]", short: "list what the door forwards to", run: runUpstreamList},
		{name: "upstream set", args: "[flags] NAME", short: "make or change an upstream", long: upstreamHelp, run: runUpstreamSet},
		{name: "upstream connect", args: "[flags] NAME", short: "let a person agree once to what an upstream's authorization server asks", long: connectHelp, run: runUpstreamConnect},
		{name: "upstream disconnect", args: "[flags] NAME", short: "give up what was granted for an upstream", run: runUpstreamDisconnect},
		{name: "upstream card", args: "[flags] NAME", short: "show the card of a peer, and whether people accepted it", long: cardHelp, run: runUpstreamCard},
		{name: "upstream switch", args: "[flags] NAME OTHER", short: "send an upstream's calls to another one like it", long: switchHelp, run: runUpstreamSwitch},
		{name: "upstream switch-back", args: "[flags] NAME", short: "let an upstream's calls go to it again", run: runUpstreamSwitchBack},
		{name: "upstream delete", args: "[flags] NAME", short: "remove an upstream and its credential", run: runUpstreamDelete},
		{name: "tool list", args: "[flags]", short: "list the tools of MCP servers, and what waits for a person", long: toolHelp, run: runToolList},
		{name: "tool show", args: "[flags] UPSTREAM TOOL", short: "show a tool, why it is held and what its definition suggests", long: toolHelp, run: runToolShow},
		{name: "tool diff", args: "[flags] UPSTREAM TOOL", short: "show what changed in a tool, word by word", long: toolHelp, run: runToolDiff},
		{name: "tool accept", args: "[flags] UPSTREAM TOOL | UPSTREAM --all", short: "accept a tool as its server lists it, and say what it does", long: toolHelp, run: runToolAccept},
		{name: "tool hold", args: "[flags] UPSTREAM TOOL", short: "make a tool wait for a person again", long: toolHelp, run: runToolHold},
		{name: "tool forget", args: "[flags] UPSTREAM TOOL", short: "drop a tool with its versions", run: runToolForget},
		{name: "tool findings", args: "[flags]", short: "list why tools are or were held", run: runToolFindings},
		{name: "finding list", args: "[flags]", short: "list what detectors saw, with what other parts found", long: findingHelp, run: runFindingList},
		{name: "finding show", args: "[flags] ID", short: "show a finding with its evidence and what was done about it", long: findingHelp, run: runFindingShow},
		{name: "finding useful", args: "[flags] ID", short: "say that a finding was worth a look", long: findingHelp, run: judging("useful")},
		{name: "finding noise", args: "[flags] ID", short: "say that a finding was not worth a look", long: findingHelp, run: judging("noise")},
		{name: "finding unjudge", args: "[flags] ID", short: "take back what was said of a finding", long: findingHelp, run: judging("")},
		{name: "finding false-alarm", args: "[flags] ID", short: "call a finding noise and take back what followed from it", long: findingHelp, run: runFindingFalseAlarm},
		{name: "detector list", args: "[flags]", short: "list detectors with what is wanted of them", long: detectorHelp, run: runDetectorList},
		{name: "detector set", args: "[flags] NAME", short: "say what is wanted of a detector, by effect", long: detectorHelp, run: runDetectorSet},
		{name: "detector reset", args: "[flags] NAME", short: "go back to the default", long: detectorHelp, run: runDetectorReset},
		{name: "rule list", args: "[flags]", short: "list the rules that people wrote over measures", long: ruleHelp, run: runRuleList},
		{name: "rule get", args: "[flags] NAME", short: "list the versions of a rule", long: ruleHelp, run: runRuleGet},
		{name: "canary list", args: "[flags]", short: "list the models that are asked fixed prompts", long: canaryHelp, run: runCanaryList},
		{name: "canary show", args: "[flags] NAME", short: "show what a canary was answered", run: runCanaryShow},
		{name: "canary put", args: "[flags] NAME", short: "ask a model fixed prompts on a schedule", long: canaryHelp, run: runCanaryPut},
		{name: "canary accept", args: "[flags] NAME", short: "take what answers now for the new normal", run: runCanaryAccept},
		{name: "canary ask", args: "[flags] NAME", short: "ask a canary's prompts now", run: runCanaryAsk},
		{name: "canary delete", args: "[flags] NAME", short: "drop a canary", run: runCanaryDelete},
		{name: "rule try", args: "[flags]", short: "say when a condition would have held in the last days", long: ruleHelp, run: runRuleTry},
		{name: "rule put", args: "[flags] NAME", short: "make or change a rule", long: ruleHelp, run: runRulePut},
		{name: "rule delete", args: "[flags] NAME", short: "drop a rule", long: ruleHelp, run: runRuleDelete},
		{name: "rule words", args: "[flags]", short: "list what a rule can ask about", long: ruleHelp, run: runRuleWords},
		{name: "response policies", args: "[flags]", short: "list what follows from which findings", long: responseHelp, run: runResponsePolicies},
		{name: "response put", args: "[flags] NAME", short: "make or change a response policy", long: responseHelp, run: runResponsePut},
		{name: "response delete", args: "[flags] NAME", short: "drop a response policy", long: responseHelp, run: runResponseDelete},
		{name: "response list", args: "[flags]", short: "list what was done about findings, or would have been", long: responseHelp, run: runResponseList},
		{name: "response revert", args: "[flags] ID", short: "take a response back", long: responseHelp, run: acting((*client.Client).RevertResponse)},
		{name: "response apply", args: "[flags] ID", short: "do what a braked or observing policy would have done", long: responseHelp, run: acting((*client.Client).ApplyResponse)},
		{name: "connect", args: "[flags] [FRAMEWORK]", short: "show how an agent joins, by what it is built with, with its keys", long: frameworkHelp, run: runConnect},
		{name: "lint", args: "[flags]", short: "say what telemetry leaves out, what that costs, and what sets it", long: lintHelp, run: runLint},
		{name: "backup", args: "[flags] [FILE]", short: "make a backup of everything, in the server's folder or as one file here", long: backupHelp, run: runBackup},
		{name: "backup list", args: "[flags]", short: "list backups, and when a restore was last tried", run: runBackupList},
		{name: "backup try", args: "[flags] BACKUP", short: "have a backup restored on trial and its records checked", run: runBackupTry},
		{name: "backup verify", args: "[flags] FILE|DIR", short: "check a backup here, without a server", long: backupHelp, run: runBackupVerify},
		{name: "restore", args: "[flags] --data DIR FILE|DIR", short: "restore a backup into an empty folder", long: backupHelp, run: runRestore},
		{name: "remap", args: "[flags]", short: "show what today's table would make otherwise of stored telemetry", long: remapHelp, run: runRemap},
		{name: "remap apply", args: "[flags] ID", short: "map the steps of a plan again", long: remapHelp, run: remapCommand((*client.Client).ApplyRemap)},
		{name: "remap show", args: "[flags] ID", short: "show a plan or what became of it", run: remapCommand((*client.Client).GetRemap)},
		{name: "remaps", args: "[flags]", short: "list what was, or would be, mapped again", run: runRemapList},
		{name: "retention list", args: "[flags]", short: "show how long telemetry is kept", long: retentionHelp, run: runRetentionList},
		{name: "retention preview", args: "[flags] KIND DAYS", short: "count what a rule of retention would drop", long: retentionHelp, run: runRetentionPreview},
		{name: "retention set", args: "[flags] KIND DAYS", short: "say how long something is kept", long: retentionHelp, run: runRetentionSet},
		{name: "retention unset", args: "[flags] KIND", short: "drop a rule of retention", long: retentionHelp, run: runRetentionUnset},
		{name: "erase", args: "[flags] --user USER", short: "erase what every part holds of a user of agents", long: eraseHelp, run: runErase},
		{name: "erase list", args: "[flags]", short: "list the receipts of erasures", run: runEraseList},
		{name: "connection list", args: "[flags]", short: "list the systems that Reeve speaks to, and whether each works", run: runConnectionList},
		{name: "map", args: "[flags]", short: "show who depends on what, as it was observed", long: mapHelp, run: runMap},
		{name: "map blast", args: "[flags] NODE", short: "say what a node of the map would take down", long: mapHelp, run: runMapBlast},
		{name: "source list", args: "[flags]", short: "list what agents read, with how fresh it is", run: runSourceList},
		{name: "source show", args: "[flags] NAME", short: "show a source's versions, jobs, checks and documents", run: runSourceShow},
		{name: "source set", args: "[flags] NAME", short: "register a source: owner, aliases, how old it may be", long: sourceHelp, run: runSourceSet},
		{name: "source out", args: "[flags] NAME", short: "take a source out of use: the door refuses to read it", long: sourceOutHelp, run: runSourceOut},
		{name: "source back", args: "[flags] NAME", short: "put a source back into use", run: runSourceBack},
		{name: "source readiness", args: "[flags]", short: "say how far what agents read can be relied on", long: readinessHelp, run: runSourceReadiness},
		{name: "source audit", args: "[flags] NAME FILE", short: "hold answers from a source against the truth", long: readinessHelp, run: runSourceAudit},
		{name: "source delete", args: "[flags] NAME", short: "forget a source", run: runSourceDelete},
		{name: "alert list", args: "[flags]", short: "list what outside systems say is wrong, firing first", long: alertHelp, run: runAlertList},
		{name: "alert show", args: "[flags] ALERT", short: "show an alert with its history", run: runAlertShow},
		{name: "alert close", args: "[flags] ALERT", short: "resolve an alert by hand", run: runAlertClose},
		{name: "alert source list", args: "[flags]", short: "list who sends alerts, with what was taken and refused", run: sourceList("alerts")},
		{name: "alert source add", args: "[flags] NAME", short: "register who sends alerts, or change it; a new one's secret is shown once", long: alertSourceHelp, run: sourceAdd("alerts")},
		{name: "alert source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "alert source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
		{name: "alert source try", args: "[flags] FILE", short: "show what an example would become; nothing is kept", long: alertSourceHelp, run: runAlertSourceTry},
		{name: "change list", args: "[flags]", short: "list what was changed and may show in how agents behave", long: changeHelp, run: runChangeList},
		{name: "change add", args: "[flags] TITLE", short: "report a change: a deployment, a prompt, a model, a flag", long: changeHelp, run: runChangeAdd},
		{name: "change source list", args: "[flags]", short: "list who sends changes, with what was taken and refused", run: sourceList("changes")},
		{name: "change source add", args: "[flags] NAME", short: "register who sends changes, or change it; a new one's secret is shown once", long: changeSourceHelp, run: sourceAdd("changes")},
		{name: "change source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "change source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
		{name: "evaluator list", args: "[flags]", short: "list what looks at runs that ended", long: evaluatorHelp, run: runEvaluatorList},
		{name: "evaluator set", args: "[flags] NAME", short: "make or change an evaluator", long: evaluatorHelp, run: runEvaluatorSet},
		{name: "evaluator delete", args: "[flags] NAME", short: "remove an evaluator; what it found stays", run: runEvaluatorDelete},
		{name: "evaluator try", args: "[flags] ANSWER", short: "show what an evaluator would find of a text; nothing is kept", long: evaluatorHelp, run: runEvaluatorTry},
		{name: "evaluation list", args: "[flags]", short: "list what evaluators and people said of runs", run: runEvaluationList},
		{name: "evaluation summary", args: "[flags]", short: "add up what evaluators found, and how far people agree", run: runEvaluationSummary},
		{name: "evaluation queue", args: "[flags]", short: "list what you should label", run: runEvaluationQueue},
		{name: "evaluation label", args: "[flags] RUN", short: "say of a run, in an evaluator's place, whether it is good", run: runEvaluationLabel},
		{name: "dataset list", args: "[flags]", short: "list data sets: cases from recorded runs", long: datasetHelp, run: runDatasetList},
		{name: "dataset set", args: "[flags] NAME", short: "make a data set, or change what is said of it", long: datasetHelp, run: runDatasetSet},
		{name: "dataset show", args: "[flags] NAME", short: "list the items of a version", run: runDatasetShow},
		{name: "dataset delete", args: "[flags] NAME", short: "remove a data set with its items", run: runDatasetDelete},
		{name: "dataset export", args: "[flags] NAME", short: "give out what has consent, as JSONL", long: datasetHelp, run: runDatasetExport},
		{name: "dataset exports", args: "[flags] NAME", short: "list what was given out, and what of that was withdrawn", run: runDatasetExports},
		{name: "case add", args: "[flags] [RUN]", short: "make a run a case of a data set", long: datasetHelp, run: runCaseAdd},
		{name: "case list", args: "[flags] RUN", short: "list the data sets in which a run is a case", run: runCaseList},
		{name: "case remove", args: "[flags] ITEM", short: "take an item out of the next version", run: runCaseRemove},
		{name: "compliance list", args: "[flags]", short: "list frameworks with what they came to last", long: complianceHelp, run: runComplianceList},
		{name: "compliance assess", args: "[flags] FRAMEWORK", short: "ask all questions of a framework, and keep the answers", long: complianceHelp, run: runComplianceAssess},
		{name: "compliance show", args: "[flags] FRAMEWORK", short: "show an assessment: a framework's last, or one by its id", run: runComplianceShow},
		{name: "compliance export", args: "[flags] FRAMEWORK", short: "write the evidence of an assessment as a signed zip", long: complianceHelp, run: runComplianceExport},
		{name: "compliance schedule", args: "[flags] FRAMEWORK", short: "have a framework assessed by itself", long: complianceHelp, run: runComplianceSchedule},
		{name: "compliance verify", args: "[flags] PACK", short: "check a pack alone, without a server", run: runComplianceVerify},
		{name: "compliance mapping", args: "[flags] FRAMEWORK", short: "print a framework's mapping", run: runComplianceMapping},
		{name: "compliance set", args: "[flags] FILE", short: "make a mapping of your own, or change it", long: complianceHelp, run: runComplianceSet},
		{name: "compliance delete", args: "[flags] FRAMEWORK", short: "remove a mapping of your own", run: runComplianceDelete},
		{name: "topic list", args: "[flags]", short: "list what people ask for, and what became of it", long: topicHelp, run: runTopicList},
		{name: "topic show", args: "[flags] TOPIC", short: "show a topic: its agents, and what is typically asked", long: topicHelp, run: runTopicShow},
		{name: "topic runs", args: "[flags] TOPIC", short: "list runs about a topic", long: topicHelp, run: runTopicRuns},
		{name: "topic name", args: "[flags] TOPIC NAME", short: "call a topic by a name; an empty one takes it back", run: runTopicName},
		{name: "topic moods", args: "[flags]", short: "list sessions whose users lose patience, with the signs", long: topicHelp, run: runTopicMoods},
		{name: "promote", args: "[flags] AGENT", short: "take an agent into production if it passes the gate", long: promoteHelp, run: runPromote},
		{name: "replay", args: "[flags] RUN", short: "put a recorded model step to another model or prompt", long: replayHelp, run: runReplay},
		{name: "gate cases", args: "[flags] AGENT", short: "show what became of a gate's cases since security approved them", long: gateCasesHelp, run: runGateCases},
		{name: "gate approve", args: "--version N AGENT", short: "approve the cases of a gate as they were looked at", long: gateApproveHelp, run: runGateApprove},
		{name: "gate set", args: "[flags] AGENT", short: "name the data set on whose cases an agent has to pass", long: gateSetHelp, run: runGateSet},
		{name: "bias set", args: "[flags] PLAN", short: "replay bias pairs at times and for each version", long: biasHelp, run: runBiasSet},
		{name: "bias list", args: "[flags]", short: "list bias plans", run: runBiasList},
		{name: "bias delete", args: "[flags] PLAN", short: "end a bias plan; its experiments stay", run: runBiasDelete},
		{name: "invoke show", args: "[flags] AGENT", short: "say how an agent is invoked for tests", run: runInvokeShow},
		{name: "invoke set", args: "[flags] AGENT", short: "say how an agent is invoked for tests", long: experimentHelp, run: runInvokeSet},
		{name: "experiment start", args: "[flags] AGENT", short: "run an agent on cases, or on bias pairs, as tests", long: experimentHelp, run: runExperimentStart},
		{name: "experiment list", args: "[flags]", short: "list experiments", run: runExperimentList},
		{name: "experiment show", args: "[flags] EXPERIMENT", short: "show an experiment with its results", run: runExperimentShow},
		{name: "experiment stop", args: "[flags] EXPERIMENT", short: "end an experiment", run: runExperimentStop},
		{name: "feedback list", args: "[flags]", short: "list what people and systems said of runs", long: feedbackHelp, run: runFeedbackList},
		{name: "feedback show", args: "[flags] FEEDBACK", short: "show one", run: runFeedbackShow},
		{name: "feedback summary", args: "[flags]", short: "add up what users said of each agent's versions, and who said nothing", long: feedbackHelp, run: runFeedbackSummary},
		{name: "feedback add", args: "[flags] [COMMENT]", short: "send a feedback", long: feedbackHelp, run: runFeedbackAdd},
		{name: "feedback link", args: "[flags]", short: "make signed links for a mail or a chat", long: feedbackHelp, run: runFeedbackLink},
		{name: "feedback bind", args: "[flags] KEY", short: "say which run a join key names", long: feedbackHelp, run: runFeedbackBind},
		{name: "feedback tell", args: "[flags] FEEDBACK", short: "note what somebody was told of what became of it, and print where to tell them", run: runFeedbackTell},
		{name: "feedback erase", args: "[flags] [FEEDBACK]", short: "erase what was said and by whom", run: runFeedbackErase},
		{name: "feedback source list", args: "[flags]", short: "list who sends feedback, with what was taken and refused", run: sourceList("feedback")},
		{name: "feedback source add", args: "[flags] NAME", short: "register who sends feedback, or change it; a new one's secret is shown once", long: feedbackSourceHelp, run: sourceAdd("feedback")},
		{name: "feedback source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "feedback source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
		{name: "feedback form list", args: "[flags]", short: "list the forms of web pages", run: runFeedbackForms},
		{name: "feedback form set", args: "[flags] NAME", short: "let pages of an origin send feedback", long: feedbackHelp, run: runFeedbackFormSet},
		{name: "feedback form remove", args: "[flags] NAME", short: "remove a form; what it sent stays", run: runFeedbackFormRemove},
		{name: "source used", args: "[flags] RUN", short: "say what a run read, and how old it was then", run: runSourceUsed},
		{name: "outcome show", args: "[flags] RUN", short: "say how a run ended for its user, and why it counts so", long: outcomeHelp, run: runOutcomeShow},
		{name: "outcome report", args: "[flags] OUTCOME", short: "report what a downstream system says of how a run ended", long: outcomeHelp, run: runOutcomeReport},
		{name: "outcome decide", args: "[flags] RUN OUTCOME", short: "decide how a run ended; it holds over all evidence", long: outcomeHelp, run: runOutcomeDecide},
		{name: "outcome evidence", args: "[flags]", short: "list evidence about outcomes", long: outcomeHelp, run: runOutcomeEvidence},
		{name: "outcome rules", args: "[flags]", short: "list rules about outcomes, deadlines and stuck runs", long: outcomeRuleHelp, run: runOutcomeRules},
		{name: "outcome rule set", args: "[flags] NAME", short: "make or change a rule about outcomes", long: outcomeRuleHelp, run: runOutcomeRuleSet},
		{name: "outcome rule delete", args: "[flags] NAME", short: "drop a rule about outcomes", run: runOutcomeRuleDelete},
		{name: "kpi list", args: "[flags]", short: "list the KPIs with what they come to", long: kpiHelp, run: runKPIList},
		{name: "kpi show", args: "[flags] KPI", short: "show one KPI: formula, figure, interval, sample, records", long: kpiHelp, run: runKPIShow},
		{name: "kpi set", args: "[flags] KPI", short: "define a KPI of your own, or its next version", long: kpiSetHelp, run: runKPISet},
		{name: "kpi delete", args: "[flags] KPI", short: "drop a KPI of your own", run: runKPIDelete},
		{name: "kpi versions", args: "[flags] KPI", short: "list the versions of a KPI of your own", run: runKPIVersions},
		{name: "kpi value", args: "[flags]", short: "say what runs were worth, and how far each assumption moves it", long: kpiValueHelp, run: runKPIValue},
		{name: "kpi assumptions", args: "[flags]", short: "list the versions of what runs were said to be worth", run: runKPIAssumptions},
		{name: "kpi assume", args: "[flags]", short: "say what runs are worth and what harm costs", long: kpiValueHelp, run: runKPIAssume},
		{name: "objective list", args: "[flags]", short: "list objectives with what is left of their budgets", long: objectiveHelp, run: runObjectiveList},
		{name: "objective show", args: "[flags] NAME", short: "show an objective, its alerts and what spent its budget", long: objectiveHelp, run: runObjectiveShow},
		{name: "objective add", args: "[flags] NAME", short: "make or change an objective", long: objectiveHelp, run: runObjectiveAdd},
		{name: "objective delete", args: "[flags] NAME", short: "drop an objective", run: runObjectiveDelete},
		{name: "objective proposals", args: "[flags]", short: "list changes of autonomy that budgets speak for", run: runObjectiveProposals},
		{name: "objective accept", args: "[flags] PROPOSAL", short: "change an agent's autonomy as proposed", run: runObjectiveDecide(true)},
		{name: "objective decline", args: "[flags] PROPOSAL", short: "leave an agent's autonomy as it is", run: runObjectiveDecide(false)},
		{name: "cost by", args: "[flags] WHAT", short: "add up what was spent by agent, user, outcome, cost centre, day...", long: splitHelp, run: runCostBy},
		{name: "cost forecast", args: "[flags]", short: "say what the month will come to, beside budgets", run: runCostForecast},
		{name: "cost dependency", args: "[flags]", short: "say what hangs on each provider, model and region", run: runCostDepend},
		{name: "cost savings", args: "[flags]", short: "list what could have been saved, with proof", long: savingsHelp, run: runCostSavings},
		{name: "cost idle", args: "[flags]", short: "list agents that nobody used", run: runCostIdle},
		{name: "cost file", args: "[flags] KIND", short: "write a month as a chargeback or FOCUS file", long: costFileHelp, run: runCostFile},
		{name: "cost report", args: "[flags]", short: "write the report of a month, as Markdown or PDF", run: runCostReport},
		{name: "cost settings", args: "[flags]", short: "show or set currency, rates, zone and cost centres", long: costSettingsHelp, run: runCostSettings},
		{name: "cost reconcile", args: "[flags] FILE", short: "hold a provider's invoice or usage export against what was counted", long: costHelp, run: runCostReconcile},
		{name: "cost list", args: "[flags]", short: "list imported invoices", run: runCostList},
		{name: "cost show", args: "[flags] ID", short: "compare an imported invoice again", long: costHelp, run: runCostShow},
		{name: "cost delete", args: "[flags] ID", short: "forget an imported invoice", run: runCostDelete},
		{name: "budget list", args: "[flags]", short: "list budgets with what is spent of them", run: runBudgetList},
		{name: "budget get", args: "[flags] NAME", short: "show a budget with each one's share", run: runBudgetGet},
		{name: "budget set", args: "[flags] NAME", short: "make or change a budget", long: budgetHelp, run: runBudgetSet},
		{name: "budget delete", args: "[flags] NAME", short: "remove a budget", run: runBudgetDelete},
		{name: "content list", args: "[flags]", short: "list the rules for secrets and personal data in content", run: runContentList},
		{name: "content set", args: "[flags] NAME", short: "make or change a content rule", long: contentHelp, run: runContentSet},
		{name: "content delete", args: "[flags] NAME", short: "remove a content rule", run: runContentDelete},
		{name: "content try", args: "[flags] [TEXT]", short: "show what the rules find in a text, given or on standard input", long: contentHelp, run: runContentTry},
		{name: "content classes", args: "[flags]", short: "list what can be found in content", run: runContentClasses},
		{name: "policy list", args: "[flags]", short: "list policies, guardrails first", run: runPolicyList},
		{name: "policy get", args: "[flags] NAME", short: "print a policy", run: runPolicyGet},
		{name: "policy put", args: "[flags] NAME [FILE]", short: "make or replace a policy", long: policyHelp, run: runPolicyPut},
		{name: "policy check", args: "[flags] FILE", short: "say what is wrong with a policy's text, by line and column", run: runPolicyCheck},
		{name: "policy simulate", args: "[flags] [NAME]", short: "try a policy on recorded decisions", long: simulateHelp, run: runPolicySimulate},
		{name: "policy would", args: "[flags]", short: "count what observing kept from being refused", run: runPolicyWould},
		{name: "policy enforce", args: "[flags] NAME", short: "show what enforcing would refuse, then enforce", long: enforceHelp, run: runPolicyEnforce},
		{name: "policy propose", args: "[flags] AGENT", short: "write the smallest policy that permits what an agent did", run: runPolicyPropose},
		{name: "policy mode", args: "[flags] NAME observe|enforce", short: "put a policy in observe or enforce", run: runPolicyMode},
		{name: "policy delete", args: "[flags] NAME", short: "end a policy; its revisions stay", run: runPolicyDelete},
		{name: "policy revisions", args: "[flags] NAME", short: "list what a policy was", run: runPolicyRevisions},
		{name: "policy restore", args: "[flags] NAME REVISION", short: "make a policy again what it was", run: runPolicyRestore},
		{name: "apply", args: "-f FILE|DIR [flags]", short: "make upstreams, agents, policies, budgets and content rules as YAML says; plan first", long: applyHelp, run: runApply},
		{name: "sign-in", args: "[flags]", short: "open a session as a person", long: signInHelp, run: runSignIn},
		{name: "sign-in list", args: "[flags]", short: "list where you are signed in, or everybody is", run: runSignInList},
		{name: "sign-in end", args: "[flags] ID", short: "end one of them; current is this one", run: runSignInEnd},
		{name: "sign-out", args: "[flags]", short: "end the session that sign-in opened", run: runSignOut},
		{name: "factor add", args: "[flags]", short: "enrol a device for one-time codes", run: runFactorAdd},
		{name: "factor confirm", args: "[flags] ID CODE", short: "show a device's first code, so that it counts", run: runFactorConfirm},
		{name: "factor show", args: "[flags] CODE", short: "show a current code, for what is hard to undo", run: runFactorShow},
		{name: "factor list", args: "[flags]", short: "list second factors", run: runFactorList},
		{name: "factor remove", args: "[flags] ID", short: "take a second factor away", run: runFactorRemove},
		{name: "proposal list", args: "[flags]", short: "list changes that wait for a second person", run: runProposalList},
		{name: "proposal confirm", args: "[flags] ID", short: "make a change that another person asked for", run: settleProposal((*client.Client).ConfirmProposal)},
		{name: "proposal decline", args: "[flags] ID", short: "refuse a change that another person asked for", run: settleProposal((*client.Client).DeclineProposal)},
		{name: "proposal withdraw", args: "[flags] ID", short: "take back a change that you asked for", run: settleProposal((*client.Client).WithdrawProposal)},
		{name: "token create", args: "[flags]", short: "make a token for programs; it is shown once", long: tokenHelp, run: runTokenCreate},
		{name: "token list", args: "[flags]", short: "list your tokens, or everybody's", run: runTokenList},
		{name: "token revoke", args: "[flags] ID", short: "end a token", run: runTokenRevoke},
		{name: "person create", args: "[flags] NAME", short: "make an account", long: personHelp, run: runPersonCreate},
		{name: "person list", args: "[flags]", short: "list people with their teams and roles", run: runPersonList},
		{name: "person roles", args: "[flags] NAME", short: "replace somebody's roles", long: personHelp, run: runPersonRoles},
		{name: "person disable", args: "[flags] NAME", short: "end an account and its sessions", run: runPersonDisable},
		{name: "team create", args: "[flags] NAME", short: "make a team", run: runTeamCreate},
		{name: "team list", args: "[flags]", short: "list teams", run: runTeamList},
		{name: "admin recover", args: "--reason TEXT [--data DIR]", short: "make an admin account for an hour, on the host", long: recoverHelp, run: runAdminRecover},
		{name: "decision list", args: "[flags]", short: "list what was decided of proposed actions", long: decisionListHelp, run: runDecisionList},
		{name: "decision get", args: "ID", short: "say why an action was allowed, held or denied", run: runDecisionGet},
		{name: "decision show", args: "ID", short: "the same as decision get", run: runDecisionGet},
		{name: "decision erase", args: "--user NAME --reason WHY", short: "erase a user's name and the content of decisions made for them", long: decisionEraseHelp, run: runDecisionErase},
		{name: "decision tail", args: "[flags]", short: "follow decisions as they are recorded", long: tailHelp, run: runDecisionTail},
		{name: "decision ask", args: "[flags] TOOL [ARGUMENTS]", short: "decide an action that does not pass the door", long: askDecisionHelp, run: runDecisionAsk},
		{name: "decision complete", args: "[flags] ID", short: "report how an allowed action ended", run: runDecisionComplete},
		{name: "coverage", args: "[flags]", short: "show how much of what agents do was decided", long: coverageHelp, run: runCoverage},
		{name: "audit verify", args: "[--data DIR] [--witness FILE] | --server URL", short: "check that the records of decisions and changes are whole", long: auditHelp, run: runAuditVerify},
		{name: "siem status", args: "", short: "show where records stream to, and how that goes", run: runSIEMStatus},
		{name: "relay add", args: "[flags] NAME", short: "forward telemetry to another OTLP back end, or change how", long: relayHelp, run: runRelayAdd},
		{name: "relay list", args: "[flags]", short: "list where telemetry is forwarded to, and how that goes", run: runRelayList},
		{name: "relay show", args: "[flags] NAME", short: "show a relay destination and how it does", run: runRelayShow},
		{name: "relay test", args: "[flags] NAME", short: "send one span to a relay destination", run: runRelayTest},
		{name: "relay pause", args: "[flags] NAME", short: "stop forwarding to a destination for now", run: runRelayPause},
		{name: "relay resume", args: "[flags] NAME", short: "go on forwarding to a destination", run: runRelayResume},
		{name: "relay remove", args: "[flags] NAME", short: "forget a relay destination", run: runRelayRemove},
		{name: "cost rerate", args: "[flags] MONTH | FROM TO", short: "show what pricing a time again would change", long: rerateHelp, run: runRerate},
		{name: "cost rerate apply", args: "[flags] ID", short: "give the calls of a plan their new costs", long: rerateHelp, run: rerateCommand((*client.Client).ApplyRerate)},
		{name: "cost rerate undo", args: "[flags] ID", short: "give the calls their old costs back", long: rerateHelp, run: rerateCommand((*client.Client).UndoRerate)},
		{name: "cost rerate show", args: "[flags] ID", short: "show a plan or what became of it", run: rerateCommand((*client.Client).GetRerate)},
		{name: "cost rerates", args: "[flags]", short: "list what was, or would be, priced again", run: runRerateList},
		{name: "poller add", args: "[flags] NAME", short: "read what a platform writes down of its agents, or change how", long: pollerHelp, run: runPollerAdd},
		{name: "poller list", args: "[flags]", short: "list what is read, and how that goes", run: runPollerList},
		{name: "poller show", args: "[flags] NAME", short: "show a poller and how it does", run: pollerCommand((*client.Client).GetPoller)},
		{name: "poller test", args: "[flags] NAME", short: "ask for a first page and keep nothing of it", run: runPollerTest},
		{name: "poller now", args: "[flags] NAME", short: "poll before its time", run: pollerCommand((*client.Client).PollNow)},
		{name: "poller pause", args: "[flags] NAME", short: "stop a poller for now", run: pollerCommand((*client.Client).PausePoller)},
		{name: "poller resume", args: "[flags] NAME", short: "go on polling", run: pollerCommand((*client.Client).ResumePoller)},
		{name: "poller remove", args: "[flags] NAME", short: "forget a poller; its runs stay", run: runPollerRemove},
		{name: "audit list", args: "[flags]", short: "list administrative changes", run: runAuditList},
		{name: "audit keys", args: "", short: "list the public keys that sign checkpoints", run: runAuditKeys},
		{name: "audit rotate", args: "--reason WHY", short: "make a new key for checkpoints", run: runAuditRotate},
		{name: "audit receipt", args: "ID", short: "write the receipt of a decision", long: receiptHelp, run: runAuditReceipt},
		{name: "audit receipt verify", args: "FILE --key PUBLIC", short: "check a receipt without a server", long: receiptHelp, run: runReceiptVerify},
		{name: "config check", args: "[--config FILE]", short: "say whether the configuration is sound", run: runConfigCheck},
		{name: "config show", args: "[--config FILE]", short: "print the configuration in force, with the meaning of each key", run: runConfigShow},
		{name: "bench", args: "ingest|crash|gateway|stop|hijack|approval|faults|why|... [flags]", short: "measure a server: Reeve or any OTLP endpoint", run: runBench},
		{name: "version", short: "print the version", run: runVersion},
		{name: "query-child", hidden: true, short: "the supervised process that reads segments", run: runQueryChild},
	}
}

// Main runs the command that args name and returns the exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := env{stdin: stdin, stdout: stdout, stderr: stderr}
	all := commands()
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		if len(args) > 1 && args[1] != "--all" {
			c, _ := find(all, args[1:])
			// "run" is a command and a noun of others: its commands say more.
			if len(args) == 2 && verbs(all, args[1]) > 1 && about(stdout, all, args[1]) {
				return 0
			}
			if c == nil {
				return unknown(stderr, all, args[1:])
			}
			c.help(stdout)
			return 0
		}
		usage(stdout, all, len(args) > 1)
		return 0
	}
	c, rest := find(all, args)
	if c == nil {
		c, rest = find(all, bySynonym(args))
	}
	if c == nil && len(args) > 1 && (args[1] == "--help" || args[1] == "-h") && about(stdout, all, args[0]) {
		return 0
	}
	if c == nil {
		return unknown(stderr, all, args)
	}
	return report(stderr, c, c.run(ctx, e, c, rest))
}

// find picks the command with the most words that args begin with.
func find(all []command, args []string) (*command, []string) {
	var best *command
	var words int
	for i := range all {
		name := strings.Fields(all[i].name)
		if len(name) > len(args) || len(name) <= words {
			continue
		}
		if strings.Join(args[:len(name)], " ") == all[i].name {
			best, words = &all[i], len(name)
		}
	}
	return best, args[words:]
}

// bySynonym is what args may mean: what is got is shown, and the other way round.
func bySynonym(args []string) []string {
	if len(args) < 2 {
		return args
	}
	other := map[string]string{"show": "get", "get": "show"}[args[1]]
	if other == "" {
		return args
	}
	return slices.Concat([]string{args[0], other}, args[2:])
}

func unknown(stderr io.Writer, all []command, args []string) int {
	fmt.Fprintf(stderr, "reeve: error: there is no command %q\n", strings.Join(args[:min(2, len(args))], " "))
	noun, same := meant(all, args[0])
	switch {
	case len(same) == 0:
		hint(stderr, "`reeve help` lists the commands")
	case len(same) <= maxSuggested:
		hint(stderr, "try "+strings.Join(same, ", "))
	default:
		hint(stderr, "`reeve help "+noun+"` explains the commands of "+noun)
		fmt.Fprintln(stderr)
		listNoun(stderr, all, noun)
	}
	return 2
}

// maxSuggested is how many commands are named whole where one was meant.
const maxSuggested = 6

// meant is the noun that a word may stand for ("runs" is meant as "run"), with its commands.
func meant(all []command, word string) (noun string, same []string) {
	for i := range all {
		if n := nounOf(&all[i]); (n == word || n == strings.TrimSuffix(word, "s")) && !all[i].hidden {
			noun, same = n, append(same, "reeve "+all[i].name)
		}
	}
	return noun, same
}

func (c *command) help(w io.Writer) {
	fmt.Fprintf(w, "reeve %s %s\n\n%s.\n", c.name, c.args, strings.ToUpper(c.short[:1])+c.short[1:])
	if c.long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.long))
	}
	fmt.Fprintf(w, "\n`reeve %s --help` lists the flags.\n", c.name)
}

// flags makes a flag set whose --help is the command's manual.
func (c *command) flags(e env) *flag.FlagSet {
	fs := flag.NewFlagSet("reeve "+c.name, flag.ContinueOnError)
	fs.SetOutput(e.stderr)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "Usage: reeve %s %s\n\n%s.\n", c.name, c.args, strings.ToUpper(c.short[:1])+c.short[1:])
		if c.long != "" {
			fmt.Fprintf(fs.Output(), "\n%s\n", strings.TrimSpace(c.long))
		}
		fmt.Fprint(fs.Output(), "\nFlags:\n")
		fs.PrintDefaults()
	}
	return fs
}

// parse reads flags; asking for help is done (exit 0), a bad flag is wrong usage.
func parse(fs *flag.FlagSet, args []string) error {
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitCode(0)
	case err != nil:
		return exitCode(2) // the flag set has said why
	}
	return nil
}

// words reads flags that may stand before, between and after the other words,
// as people write them, and returns those words. What follows "--" is words.
func words(fs *flag.FlagSet, args []string) ([]string, error) {
	var out []string
	for {
		if err := parse(fs, args); err != nil {
			return nil, err
		}
		rest := fs.Args()
		if len(rest) == 0 {
			return out, nil
		}
		if at := len(args) - len(rest); at > 0 && args[at-1] == "--" {
			return append(out, rest...), nil
		}
		out, args = append(out, rest[0]), rest[1:]
	}
}

// report says what went wrong and gives the exit code.
func report(stderr io.Writer, c *command, err error) int {
	if err == nil {
		return 0
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	var waits *client.Pending
	if errors.As(err, &waits) {
		fmt.Fprintf(stderr, "reeve: %v\n", waits)
		hint(stderr, "nothing has changed yet; somebody else confirms it with reeve proposal confirm "+waits.Proposal.ID)
		return 1
	}
	var p *client.Problem
	var f *fault.Error
	var call *url.Error
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "reeve: error: %v\nreeve: hint: reeve %s %s\n", err, c.name, c.args)
		return 2
	case errors.As(err, &p):
		fmt.Fprintf(stderr, "reeve: error: %s\n", p.Detail)
		hint(stderr, p.Hint)
		switch p.Status {
		case 400:
			return 2
		case 403:
			return 3
		}
		return 1
	case errors.As(err, &f):
		fmt.Fprintf(stderr, "reeve: error: %s", f.Message)
		if f.Cause != nil {
			fmt.Fprintf(stderr, ": %v", f.Cause)
		}
		fmt.Fprintln(stderr)
		hint(stderr, f.Hint)
		return f.Kind.ExitCode()
	}
	fmt.Fprintf(stderr, "reeve: error: %v\n", err)
	if errors.As(err, &call) && !call.Timeout() {
		hint(stderr, "no Reeve answers there: `reeve serve` or `reeve demo` starts one; --server or REEVE_SERVER names another address")
	}
	return 1
}

func hint(w io.Writer, text string) {
	if text != "" {
		fmt.Fprintf(w, "reeve: hint: %s\n", text)
	}
}
