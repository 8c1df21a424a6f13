package connection

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"reeve/internal/upstream"
)

// revoke tells an authorization server that a grant is given up (RFC 7009). The
// refresh token takes the access token along.
func (b *Book) revoke(ctx context.Context, u *upstream.Upstream, k *grant) error {
	token, hint := k.Refresh, "refresh_token"
	if token == "" {
		token, hint = k.Access, "access_token"
	}
	if k.Server.Revocation == "" || token == "" {
		return nil
	}
	form, h := url.Values{"token": {token}, "token_type_hint": {hint}}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if err := b.show(u, &k.Server, k.Client, form, h); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.Server.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header = h
	status, _, body, err := asking(u).do(req)
	if err == nil && status != http.StatusOK {
		err = refusal(&k.Server, status, body)
	}
	return err
}
