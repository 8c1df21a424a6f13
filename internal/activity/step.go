package activity

// Step is the fold of a step's fragments as the store keeps it. The embedded
// Fragment is the resolved view (see Merge): for each field the word of the
// strongest source. Its Contents are empty: what was said lies in the run's
// messages, and Refs point to them.
type Step struct {
	Fragment
	Revision uint32 // revision n+1 replaces n
	Received int64  // ns, when the first fragment arrived
	Sender   string
	Team     string
	Cost     Cost // what this step cost; Basis CostUnknown when unknown
	Counted  bool // usage and cost of this step count in its run (leaf model calls only)
	Call     bool // this step is one model call of its run (nested steps of one call count once)
	Refs     []ContentRef
	Layers   []byte // encoded fragments by rank when more than one rank spoke; nil otherwise
}

// ContentRef says which of the run's messages a content consists of: Messages
// is a list of ordinals and inclusive ranges in order, "0-31,33".
type ContentRef struct {
	Field    ContentField `json:"field"`
	Format   string       `json:"format"`
	From     string       `json:"from,omitempty"`
	Order    int32        `json:"order,omitempty"`
	Messages string       `json:"messages"`
}

// Band is the band of a content: see ContentBand.
func (r *ContentRef) Band() int32 { return r.Order >> 16 }

// Said reports whether content i of a step is what was said: no other content
// of its field is of a lower band, and it is not merely about the call.
func Said(refs []ContentRef, i int) bool {
	band := refs[i].Band()
	for j := range refs {
		if refs[j].Field == refs[i].Field && refs[j].Band() < band {
			return false
		}
	}
	return band < BesideBand
}

// Message is one message, argument, result, document or tool definition of a
// run, stored at its first appearance. A message that another run of the same
// day already stored has Raw nil and is found by Hash.
type Message struct {
	Run     RunID
	Ordinal int32 // place in the run's list of distinct messages
	Step    StepID
	Time    int64 // ns, start of the step where it first appeared
	Day     int32 // days since 1970 UTC: the partition, and the scope of Hash
	Field   ContentField
	Format  string
	Role    string // system, user, assistant, tool; "" when the format has none
	// Hash is of Raw. Where its second half is zero the content is stored with
	// this message and no other refers to it.
	Hash  [16]byte
	Size  int32 // bytes of Raw
	Raw   []byte
	Agent string
	Team  string
	Env   string
}

// RunStatus is how a run stands.
type RunStatus uint8

// The states of a run.
const (
	RunRunning RunStatus = iota
	RunWaiting
	RunDone
	RunStale
)

var runStatusNames = [...]string{"running", "waiting", "done", "stale"}

// String is the status's stable name.
func (s RunStatus) String() string {
	if int(s) < len(runStatusNames) {
		return runStatusNames[s]
	}
	return "running"
}

// ParseRunStatus finds a status by its name; ok is false for an unknown one.
func ParseRunStatus(s string) (st RunStatus, ok bool) {
	for i, n := range runStatusNames {
		if n == s {
			return RunStatus(i), true
		}
	}
	return RunRunning, false
}

// Run is the summary of a run, rewritten as its steps arrive.
type Run struct {
	ID          RunID
	Revision    uint32
	Traces      []TraceID // at most 16 are kept
	Name        string
	Agent       string
	AgentID     string
	Version     string
	Task        string
	Environment string
	Team        string
	Sender      string
	Session     string
	User        string
	Mode        string
	Status      RunStatus
	Outcome     string // "" unknown
	Start       int64  // ns
	End         int64  // ns of the last step seen; Unknown while nothing ended
	Received    int64  // ns, first fragment
	Updated     int64  // ns, last fragment (received time)

	Steps, Errors, ModelCalls, ToolCalls, Logs int64
	UnknownUsageCalls                          int64 // model calls that reported no usage
	UnknownCostCalls                           int64 // model calls without a price
	RootError                                  bool  // the root step ended in error
	ErrorType                                  string
	Usage                                      Usage // sums over counted steps; Unknown when none reported
	Cost                                       Cost  // sum; Basis is the weakest of its parts
	Models, Tools, Sources, Agents             []string
	Dialects                                   []string
	Tags                                       []string
	Labels                                     []Label
	Flags                                      Flag // union over its steps; FlagJoined when it is of all
	Partial                                    bool // no root seen yet
	Links                                      []RunLink
}
