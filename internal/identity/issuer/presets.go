package issuer

import (
	"maps"
	"slices"
	"strings"

	"reeve/internal/identity/token"
)

// words say which claims of a directory mean what; the first that is there
// counts.
type words struct {
	tenant, subject, parent []string
	party                   []string // the client that a token was given to
	user                    []string
	groups                  string
	kind                    func(claims) string
}

type preset struct {
	words
	issuer   string              // when every installation has the same
	jwks     func(string) string // from the issuer; nil: by discovery
	required []string
	shared   bool // many tenants share the iss: the first required claim must be given values
	uses     []string
}

func always(kind string) func(claims) string { return func(claims) string { return kind } }

// presets are the directories that are known; a new one is a row here.
var presets = map[string]preset{
	"oidc": {
		words: words{
			tenant: []string{"tenant", "tid"}, subject: []string{"sub"}, parent: []string{"parent"}, party: []string{"azp", "client_id"}, user: []string{"sub"}, groups: "groups",
			// A token whose subject is its own client is the client's.
			kind: func(c claims) string {
				if c.text("sub_profile") == "ai_agent" {
					return token.KindAgent
				}
				if client := c.first([]string{"client_id", "azp"}); client != "" && client != c.text("sub") || c.text("email") != "" {
					return token.KindUser
				}
				return token.KindService
			},
		},
		uses: []string{UseDoor, UseEnrol, UseExchange},
	},
	"kubernetes": {
		words: words{
			tenant: []string{}, subject: []string{"sub"}, parent: []string{"/kubernetes.io/namespace"}, kind: always(token.KindService),
		},
		required: []string{"/kubernetes.io/namespace"},
		uses:     []string{UseEnrol, UseDoor},
	},
	"github-actions": {
		words: words{
			tenant: []string{"repository_owner"}, subject: []string{"sub"}, parent: []string{"repository"}, kind: always(token.KindService),
		},
		issuer:   "https://token.actions.githubusercontent.com",
		jwks:     func(iss string) string { return iss + "/.well-known/jwks" },
		required: []string{"repository"},
		shared:   true,
		uses:     []string{UseEnrol, UseDoor},
	},
	"entra": {
		words: words{
			tenant: []string{"tid"}, subject: []string{"oid", "sub"}, parent: []string{"xms_par_app_azp"}, party: []string{"azp", "appid"}, user: []string{"oid"}, groups: "groups",
			kind: func(c claims) string {
				switch c.text("idtyp") {
				case "app":
					if c.text("xms_par_app_azp") != "" {
						return token.KindAgent // made from a blueprint
					}
					return token.KindService
				case "user":
					return token.KindUser
				}
				if c.text("scp") != "" {
					return token.KindUser // delegated permissions are a user's
				}
				return token.KindService
			},
		},
		jwks: func(iss string) string {
			base := strings.TrimSuffix(iss, "/v2.0")
			if t, ok := strings.CutPrefix(base, "https://sts.windows.net/"); ok { // tokens of version 1
				base = "https://login.microsoftonline.com/" + strings.TrimSuffix(t, "/")
			}
			return base + "/discovery/v2.0/keys"
		},
		required: []string{"tid"},
		uses:     []string{UseDoor, UseEnrol, UseExchange},
	},
	"okta": {
		words: words{
			tenant: []string{}, subject: []string{"sub"}, party: []string{"cid"}, user: []string{"uid", "sub"}, groups: "groups",
			kind: func(c claims) string {
				switch c.text("sub_profile") {
				case "ai_agent":
					return token.KindAgent
				case "service":
					return token.KindService
				}
				if c.text("uid") != "" || c.text("cid") != c.text("sub") {
					return token.KindUser
				}
				return token.KindService
			},
		},
		jwks: func(iss string) string { return iss + "/v1/keys" },
		uses: []string{UseDoor, UseEnrol, UseExchange},
	},
	// The classic iss is the same for every tenant: the tenant is required, and
	// the keys come from the domain.
	"oracle": {
		words: words{
			tenant: []string{"tenant", "user_tenantname"}, subject: []string{"sub"}, party: []string{"client_id"}, user: []string{"user_id", "sub"}, groups: "groups",
			kind: func(c claims) string {
				if c.text("sub_type") == "user" {
					return token.KindUser
				}
				return token.KindService
			},
		},
		required: []string{"tenant"},
		shared:   true,
		uses:     []string{UseDoor, UseEnrol, UseExchange},
	},
}

// Presets lists the directories that are known.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }
