package api

import (
	"context"
	"fmt"

	"reeve/internal/fault"
	"reeve/internal/identity"
)

// FromChat does what a linked person pressed in a chat: acknowledges an incident,
// or approves or denies a held action with exactly the arguments that the message
// showed (bound). What destroys is agreed to only in the console. It answers in
// words.
func (a *API) FromChat(ctx context.Context, who identity.Principal, verb, object, bound string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, callKey{}, &call{who: &who, id: newRequestID()}), a.o.Timeout)
	defer cancel()
	switch verb {
	case "acknowledge":
		book, i, err := a.incidentSeen(ctx, object)
		if err != nil {
			return "", err
		}
		if i, err = book.Acknowledge(ctx, incidentActor(ctx), i.ID, "from chat"); err != nil {
			return "", err
		}
		return fmt.Sprintf("You have incident %d now.", i.Number), nil
	case "approve", "deny":
		book, ap, teams, err := a.approvalOf(ctx, object)
		if err != nil {
			return "", err
		}
		p := a.approverOf(ctx, ap, teams, "from chat")
		if err := ap.May(&p); err != nil {
			return "", err
		}
		if verb == "deny" {
			if _, err := book.Deny(ctx, ap.ID, p); err != nil {
				return "", err
			}
			return "Denied: it does not happen, nor the same again for a day.", nil
		}
		if ap.Ask.Effect != "write" && ap.Ask.Effect != "read" && ap.Ask.Effect != "think" {
			return "", fault.New(fault.KindDenied, "approval.console_only", "what may destroy something is agreed to in the console").WithHint("open it in Reeve")
		}
		if unopened, err := a.unopened(ctx, book, ap); err != nil || unopened {
			if err == nil {
				err = fault.New(fault.KindConflict, "approval.unopened", "it is more than a message shows: open it in Reeve before you agree")
			}
			return "", err
		}
		if ap, err = book.Approve(ctx, ap.ID, p, bound); err != nil {
			return "", err
		}
		if missing := ap.Missing(); len(missing) > 0 {
			return "Your agreement counts; it waits for others too.", nil
		}
		return "Approved.", nil
	}
	return "", fault.New(fault.KindInvalid, "api.chat", "nothing is done by %.40q", verb)
}
