package dialect

import "reeve/internal/activity"

// coreRules are the names that belong to no vendor: Reeve's own, and those of
// OpenTelemetry's general conventions. Ranks of Kind are the rows of the order
// of detection: 1 Reeve's word, 2 to 14 vendors' explicit kinds, 16 to 19 what
// can be inferred.
var coreRules = []Rule{
	{Key: "reeve.step.kind", Field: Kind, Rank: 1, Kinds: reeveKinds()},
	{Key: "reeve.run.id", Field: RunKey, Rank: 1},
	{Key: "reeve.run.name", Field: RunName, Rank: 1},
	{Key: "reeve.step.name", Field: StepName, Rank: 1},
	{Key: "reeve.session", Field: Session, Rank: 1},
	{Key: "reeve.session.id", Field: Session, Rank: 2},
	{Key: "reeve.user", Field: User, Rank: 1},
	{Key: "reeve.user.id", Field: User, Rank: 2},
	{Key: "reeve.agent", Field: Agent, Rank: 1},
	{Key: "reeve.agent.name", Field: Agent, Rank: 2},
	{Key: "reeve.agent.version", Field: AgentVersion, Rank: 1},
	{Key: "reeve.environment", Field: Environment, Rank: 1},
	{Key: "reeve.task", Field: Task, Rank: 1},
	{Key: "reeve.mode", Field: Mode, Rank: 1},
	{Key: "reeve.outcome", Field: Outcome, Rank: 1},
	{Key: "reeve.waiting", Field: Waiting, Rank: 1},
	{Key: "reeve.generated", Field: Generated, Rank: 1},
	{Key: "reeve.decision.id", Field: DecisionID, Rank: 1},
	{Key: "reeve.tags", Field: Tags, Rank: 1},
	{Key: "reeve.label.", Field: Label, Rank: 1},

	{Key: "session.id", Field: Session, Rank: 20},
	{Key: "user.id", Field: User, Rank: 20},
	{Key: "enduser.id", Field: User, Rank: 30},
	{Key: "service.name", Field: Service, Rank: 1},
	{Key: "service.version", Field: AgentVersion, Rank: 200},
	{Key: "deployment.environment.name", Field: Environment, Rank: 20},
	{Key: "deployment.environment", Field: Environment, Rank: 30},
	{Key: "error.type", Field: ErrorType, Rank: 10},
	{Key: "exception.type", Field: ErrorType, Rank: 50},
	{Key: "exception.message", Field: ErrorMessage, Rank: 50},
	{Key: "event.name", Field: EventName, Rank: 10},
	{Key: "logfire.span_type", Field: PendingSpan, Rank: 1},
	{Key: "logfire.pending_parent_id", Field: PendingParent, Rank: 1},

	{Key: "mcp.method.name", Field: Kind, Rank: 5, Kinds: map[string]activity.Kind{"tools/call": activity.KindTool}},
	{Key: "mcp.method.name", Field: Kind, Rank: 6, KindOf: activity.KindMCP},
	{Key: "mcp.tool.name", Field: ToolName, Rank: 40},
	{Key: "a2a.method.name", Field: Kind, Rank: 6, KindOf: activity.KindA2A},

	{Key: "db.system", Field: Kind, Rank: 19, Kinds: vectorStores},
	{Key: "db.system.name", Field: Kind, Rank: 19, Kinds: vectorStores},
	{Key: "db.system", Field: Kind, Rank: 20, KindOf: activity.KindOther},
	{Key: "db.system.name", Field: Kind, Rank: 20, KindOf: activity.KindOther},
	{Key: "http.request.method", Field: Kind, Rank: 21, KindOf: activity.KindHTTP},
	{Key: "http.method", Field: Kind, Rank: 21, KindOf: activity.KindHTTP},
}

// vectorStores are the databases whose calls are retrievals.
var vectorStores = map[string]activity.Kind{
	"chroma": activity.KindRetrieval, "chromadb": activity.KindRetrieval, "pinecone": activity.KindRetrieval,
	"qdrant": activity.KindRetrieval, "milvus": activity.KindRetrieval, "weaviate": activity.KindRetrieval,
	"pgvector": activity.KindRetrieval, "lancedb": activity.KindRetrieval, "marqo": activity.KindRetrieval,
}

func reeveKinds() map[string]activity.Kind {
	kinds := map[string]activity.Kind{}
	for k := activity.KindOther; ; k++ {
		if k > 0 && k.String() == "other" {
			return kinds
		}
		kinds[k.String()] = k
	}
}
