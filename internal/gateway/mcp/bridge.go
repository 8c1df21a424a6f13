package mcp

import "net/http"

// legacy is a client's session that the upstream knows nothing of.
type legacy struct{}

func (x *exchange) initialize(req *http.Request) (*http.Response, error) { return x.pass(req) }
func (x *exchange) toSessions(*http.Request) (*http.Response, error)     { return nil, errSpeech }
func (x *exchange) toStateless(*http.Request) (*http.Response, error)    { return nil, errSpeech }
func (x *exchange) listening(*http.Response)                             {}
