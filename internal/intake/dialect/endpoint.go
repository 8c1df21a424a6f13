package dialect

import "net/http"

// Alias is another path at which a vendor's SDK sends OTLP.
type Alias struct {
	Path   string
	Signal string // traces, logs or metrics
}

// Endpoint is a vendor's own way of sending over HTTP: its wire format, turned
// into OTLP whose attributes the table knows. All limits of intake hold for it.
type Endpoint struct {
	Method string
	Path   string   // exact
	Types  []string // media types of the body; nil takes any, an absent one too
	// Take translates a body. An error says why nothing of it was taken and is
	// answered by its kind; what a batch holds that cannot be read on its own is
	// counted in out and told in the reply.
	Take func(out *Writer, r *Request) (Reply, error)
}

// Request is one request to an Endpoint. It aliases the body.
type Request struct {
	Header http.Header
	Params map[string]string // of the media type
	Body   []byte
	Now    int64 // ns
}

// Reply is the answer after the log has what was translated.
type Reply struct {
	Status int    // 0 is 200
	Type   string // "" is application/json
	Body   []byte // nil is {}
}
