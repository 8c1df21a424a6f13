package activity

// sourceKeys are the attributes by which steps say what they read, best first.
var sourceKeys = [...]string{"reeve.source", "gen_ai.data_source.id", "db.collection.name", "gen_ai.retrieval.source", "db.namespace", "mcp.resource.uri"}

// SourceOf is the source that a step says it reads; "" when it says none.
func SourceOf(s *Step) string {
	attributes := Attributes(s.Attributes)
	for _, key := range sourceKeys {
		if v, ok := attributes[key].(string); ok && v != "" {
			return v
		}
	}
	return ""
}
