package api

import (
	"context"
	"slices"

	"reeve/client"
	"reeve/internal/budget"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Budgets bound what agents spend; *budget.Ledger is one. It checks the roles of
// changes.
type Budgets interface {
	List() []client.Budget
	Get(name string) (client.Budget, error)
	Put(ctx context.Context, who budget.Actor, b client.Budget) (client.Budget, error)
	Delete(ctx context.Context, who budget.Actor, name string) error
}

func (a *API) budgets() (Budgets, error) {
	if a.o.Budgets == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no door").WithHint("start it with a gateway listener")
	}
	return a.o.Budgets, nil
}

// maySeeBudget: a team's own, and those of the house that bound the team. The
// others show what foreign agents spend.
func maySeeBudget(who identity.Principal, b client.Budget) bool {
	team := b.Team
	if team == "" && b.Scope == "team" && b.Match != budget.Everyone {
		team = b.Match
	}
	teams := who.Teams(identity.Viewer)
	return teams == nil || slices.Contains(teams, team)
}

func budgetActor(ctx context.Context) budget.Actor {
	who := whoOf(ctx)
	return budget.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}
}

func listBudgets(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Budget], error) {
	budgets, err := a.budgets()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	all := slices.DeleteFunc(budgets.List(), func(b client.Budget) bool { return !maySeeBudget(who, b) })
	return listOf(all, nil, func(b client.Budget) client.Budget { return b })
}

func getBudget(a *API, ctx context.Context, req *client.BudgetRequest) (*client.Budget, error) {
	budgets, err := a.budgets()
	if err != nil {
		return nil, err
	}
	b, err := budgets.Get(req.Name)
	if err == nil && !maySeeBudget(whoOf(ctx), b) {
		return nil, fault.New(fault.KindNotFound, "budget.not_found", "there is no budget %.60s", req.Name)
	}
	return &b, err
}

func putBudget(a *API, ctx context.Context, req *client.PutBudgetRequest) (*client.Budget, error) {
	budgets, err := a.budgets()
	if err != nil {
		return nil, err
	}
	b, err := budgets.Put(ctx, budgetActor(ctx), client.Budget{
		Name: req.Name, Scope: req.Scope, Match: req.Match, Unit: req.Unit, Limit: req.Limit, Currency: req.Currency,
		Period: req.Period, Hard: req.Hard, Team: req.Team, Revision: req.Revision,
	})
	return &b, err
}

func deleteBudget(a *API, ctx context.Context, req *client.BudgetRequest) (*struct{}, error) {
	budgets, err := a.budgets()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, budgets.Delete(ctx, budgetActor(ctx), req.Name)
}
