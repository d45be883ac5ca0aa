"""Servers that speak MCP, as domains."""
