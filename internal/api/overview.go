package api

import (
	"context"

	"reeve/client"
)

func overview(a *API, ctx context.Context, req *client.OverviewRequest) (*client.Overview, error) { return nil, nil }
