package client

import (
	"context"
	"encoding/json"
)

// AgentBOM is AgentInventory as a CycloneDX 1.6 document.
func (c *Client) AgentBOM(ctx context.Context, req InventoryRequest) (json.RawMessage, error) {
	req.Format = "cyclonedx"
	doc, err := call[json.RawMessage](ctx, c, "GET", "/api/v1/agents/{name}/inventory", req)
	if err != nil {
		return nil, err
	}
	return *doc, nil
}
