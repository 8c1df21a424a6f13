package activity

// sourceKeys are the attributes by which steps say what they read, best first.
var sourceKeys = [...]string{"reeve.source", "gen_ai.data_source.id", "db.collection.name", "gen_ai.retrieval.source", "db.namespace", "mcp.resource.uri"}

// SourceOf is the source that a step says it reads; "" when it says none. It is
// asked of every step: names are compared and no value is decoded but theirs.
func SourceOf(s *Step) string {
	var values [len(sourceKeys)][]byte
	found := false
	eachAttribute(s.Attributes, func(key, value []byte) bool {
		switch len(key) { // of those above: most names are none of them
		case 12, 16, 18, 21, 23:
			for i := range sourceKeys {
				if string(key) == sourceKeys[i] {
					values[i], found = value, true
				}
			}
		}
		return true
	})
	if !found {
		return ""
	}
	for _, value := range values {
		if v, ok := anyValue(value, 0).(string); ok && v != "" {
			return v
		}
	}
	return ""
}
