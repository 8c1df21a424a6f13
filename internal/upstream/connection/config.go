package connection

import (
	"net/url"
	"strings"

	"reeve/internal/fault"
)

// Config says where others find us.
type Config struct {
	ClientID string `yaml:"client_id" doc:"Address at which authorization servers of upstreams read who Reeve is (an OAuth client id metadata document): it leads to /oauth/client.json of the door, or a copy of it. Empty: the door's own address when that is https, else none."`
	Console  string `yaml:"console" doc:"Address at which people's browsers reach the console: they come back to it from an authorization server. Empty: approvals.console, else where the console listens."`
}

// Validate refuses what nobody could read.
func (c Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "config.invalid", "connections."+format, args...)
	}
	if at, err := url.Parse(c.ClientID); c.ClientID != "" && (err != nil || at.Scheme != "https" || at.Host == "" || len(at.Path) < 2 || at.User != nil || at.RawQuery != "" || at.Fragment != "" || strings.Contains(at.Path, "/.")) {
		return bad("client_id: %q is no https address with a path", c.ClientID)
	}
	if at, err := url.Parse(c.Console); c.Console != "" && (err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "") {
		return bad("console: %q is no address such as https://reeve.example.com", c.Console)
	}
	return nil
}
