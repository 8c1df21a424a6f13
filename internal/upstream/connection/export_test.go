package connection

import "context"

// RenewDue is one round of Run.
func (b *Book) RenewDue(ctx context.Context) { b.renewDue(ctx) }

// ReadChallenge is what a challenge says, for the fuzz test.
func ReadChallenge(headers ...string) (metadata, code string, scopes []string) {
	c := readChallenge(headers)
	return c.metadata, c.code, c.scopes
}
