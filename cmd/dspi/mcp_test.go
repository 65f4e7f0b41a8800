package main

import (
	"context"
	"fmt"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// weatherServer is an MCP server over stdio, for scripts.
func weatherServer() {
	type in struct {
		City string `json:"city" jsonschema:"the name of a city"`
	}
	type out struct {
		Celsius float64 `json:"celsius"`
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "current-weather", Description: "The weather of now."}, func(_ context.Context, _ *mcp.CallToolRequest, x in) (*mcp.CallToolResult, out, error) {
		if x.City != "Oslo" {
			return nil, out{}, fmt.Errorf("no city is called %s", x.City)
		}
		return nil, out{7.5}, nil
	})
	if err := s.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		os.Exit(1)
	}
}
