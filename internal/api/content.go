package api

import (
	"context"

	"reeve/client"
	"reeve/internal/content"
	"reeve/internal/fault"
)

// ContentRules say what content may hold; *content.Set is one.
type ContentRules interface {
	List() []client.ContentRule
	Get(name string) (client.ContentRule, error)
	Put(ctx context.Context, who content.Actor, r client.ContentRule) (client.ContentRule, error)
	Delete(ctx context.Context, who content.Actor, name string) error
	Try(req client.TryContentRequest) (client.TriedContent, error)
}

func (a *API) contentRules() (ContentRules, error) {
	if a.o.Content == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Content, nil
}

func contentActor(ctx context.Context) content.Actor {
	who := whoOf(ctx)
	return content.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID}
}

func listContentRules(a *API, _ context.Context, _ *struct{}) (*client.List[client.ContentRule], error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	return listOf(rules.List(), nil, func(r client.ContentRule) client.ContentRule { return r })
}

func getContentRule(a *API, _ context.Context, req *client.ContentRuleRequest) (*client.ContentRule, error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	r, err := rules.Get(req.Name)
	return &r, err
}

func putContentRule(a *API, ctx context.Context, req *client.PutContentRuleRequest) (*client.ContentRule, error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	r, err := rules.Put(ctx, contentActor(ctx), client.ContentRule{
		Name: req.Name, Classes: req.Classes, Pattern: req.Pattern, Action: req.Action, Direction: req.Direction,
		Agent: req.Agent, Team: req.Team, Environment: req.Environment, Reason: req.Reason, Revision: req.Revision,
	})
	return &r, err
}

func deleteContentRule(a *API, ctx context.Context, req *client.ContentRuleRequest) (*struct{}, error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, rules.Delete(ctx, contentActor(ctx), req.Name)
}

func contentClasses(a *API, _ context.Context, _ *struct{}) (*client.List[string], error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	all := content.Classes()
	for _, r := range rules.List() {
		if r.Pattern != "" {
			all = append(all, "custom."+r.Name)
		}
	}
	return listOf(all, nil, func(c string) string { return c })
}

func tryContent(a *API, _ context.Context, req *client.TryContentRequest) (*client.TriedContent, error) {
	rules, err := a.contentRules()
	if err != nil {
		return nil, err
	}
	t, err := rules.Try(*req)
	return &t, err
}
