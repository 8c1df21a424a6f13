package a2a

// op is an operation of A2A, whatever a binding calls it.
type op uint8

const (
	opNone op = iota
	opSend
	opStream
	opGet
	opList
	opCancel
	opSubscribe
	opPushCreate
	opPushGet
	opPushList
	opPushDelete
	opExtendedCard
	opCard // GET of the card at its well-known place
)

// ops are the operations: their name in JSON-RPC and gRPC of 1.0, the method of
// JSON-RPC in 0.3 ("" where there is none), and what they are to us.
var ops = [...]struct {
	name, old string
	streams   bool // the answer is a stream
	sends     bool // it carries a message to the peer: a delegation
	reads     bool // it changes nothing at the peer
	task      bool // it is about one task that exists
}{
	opSend:         {name: "SendMessage", old: "message/send", sends: true},
	opStream:       {name: "SendStreamingMessage", old: "message/stream", streams: true, sends: true},
	opGet:          {name: "GetTask", old: "tasks/get", reads: true, task: true},
	opList:         {name: "ListTasks", reads: true},
	opCancel:       {name: "CancelTask", old: "tasks/cancel", task: true},
	opSubscribe:    {name: "SubscribeToTask", old: "tasks/resubscribe", streams: true, reads: true, task: true},
	opPushCreate:   {name: "CreateTaskPushNotificationConfig", old: "tasks/pushNotificationConfig/set", task: true},
	opPushGet:      {name: "GetTaskPushNotificationConfig", old: "tasks/pushNotificationConfig/get", reads: true, task: true},
	opPushList:     {name: "ListTaskPushNotificationConfigs", old: "tasks/pushNotificationConfig/list", reads: true, task: true},
	opPushDelete:   {name: "DeleteTaskPushNotificationConfig", old: "tasks/pushNotificationConfig/delete", task: true},
	opExtendedCard: {name: "GetExtendedAgentCard", old: "agent/getAuthenticatedExtendedCard", reads: true},
	opCard:         {name: "AgentCard", reads: true},
}

// tells reports whether what answers the operation is a task, or a stream of one.
func (o op) tells() bool {
	return ops[o].sends || o == opGet || o == opCancel || o == opSubscribe
}

func (o op) String() string { return ops[o].name }

// opOf finds an operation by its method in an era.
func opOf(method string, e era) op {
	for o := opSend; o < opCard; o++ {
		name := ops[o].name
		if e == era03 {
			name = ops[o].old
		}
		if name == method && method != "" {
			return o
		}
	}
	return opNone
}

// method is what the operation is called in an era; "" where it is not there.
func (o op) method(e era) string {
	if e == era03 {
		return ops[o].old
	}
	return ops[o].name
}

// era is a version of the protocol, by its major and minor number.
type era uint8

const (
	era10 era = iota
	era03
)

func (e era) String() string {
	if e == era03 {
		return "0.3"
	}
	return "1.0"
}

// binding is how the protocol is carried.
type binding uint8

const (
	jsonRPC binding = iota
	httpJSON
	gRPC
)

var bindingNames = [...]string{jsonRPC: "JSONRPC", httpJSON: "HTTP+JSON", gRPC: "GRPC"}

func (b binding) String() string { return bindingNames[b] }

// wire is a binding in a version.
type wire struct {
	binding
	era
}

// taskStates are the states of a task in 1.0 with their words in 0.3.
var taskStates = map[string]string{
	"TASK_STATE_UNSPECIFIED": "unknown", "TASK_STATE_SUBMITTED": "submitted", "TASK_STATE_WORKING": "working", "TASK_STATE_COMPLETED": "completed",
	"TASK_STATE_FAILED": "failed", "TASK_STATE_CANCELED": "canceled", "TASK_STATE_INPUT_REQUIRED": "input-required",
	"TASK_STATE_REJECTED": "rejected", "TASK_STATE_AUTH_REQUIRED": "auth-required",
}

var newStates = func() map[string]string {
	m := make(map[string]string, len(taskStates))
	for n, o := range taskStates {
		m[o] = n
	}
	return m
}()

// over reports whether a task in this state of 1.0 will not change any more.
func over(state string) bool {
	switch state {
	case "TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED":
		return true
	}
	return false
}

// interrupted reports whether a task in this state waits for its client.
func interrupted(state string) bool {
	return state == "TASK_STATE_INPUT_REQUIRED" || state == "TASK_STATE_AUTH_REQUIRED"
}
