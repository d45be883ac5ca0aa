"""Services that are known by the schemas of their tools alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tdscaling.dataflow import infer
from tdscaling.schema import Cluster, Service, Tool

Schema = dict[str, Any]


def tool(
    name: str,
    description: str = "",
    required: Schema | None = None,
    optional: Schema | None = None,
    domain: str = "tracker",
    **more: Any,
) -> Tool:
    """A tool; a parameter given as text is a string with that description."""
    parts = {
        key: {"type": "string", "description": value} if isinstance(value, str) else value
        for key, value in {**(required or {}), **(optional or {})}.items()
    }
    schema: Schema = {"type": "object", "properties": parts, "required": list(required or {})}
    return Tool(name, description, schema, domain, "productivity", **more)


def cluster(tools: Sequence[Tool], name: str = "tracker") -> Cluster:
    """A cluster of tools, with the edges that their schemas imply."""
    services = tuple(dict.fromkeys(one.domain for one in tools))
    edges = tuple(
        edge
        for service in services
        for edge in infer(
            Service(service, service, "", "", tuple(t for t in tools if t.domain == service), "x")
        )
    )
    return Cluster(f"{name}-1", name, "productivity", tuple(tools), edges, (), services)


PRIORITY: Schema = {"type": "string", "enum": ["low", "medium", "high"]}


def tracker() -> Cluster:
    """Projects and tasks: the usual verbs."""
    return cluster(
        [
            tool("list_projects", "List all projects."),
            tool("create_project", "Create a new project.", {"name": "Name of the project"}),
            tool(
                "create_task",
                "Creates a new task in a project.",
                {"title": "Title of the task", "projectId": "Id of the project"},
                {"priority": PRIORITY, "due_date": {"type": "string", "format": "date"}},
            ),
            tool(
                "search_tasks",
                "Search for tasks by text.",
                {"query": "Text to search for"},
                {"priority": PRIORITY, "limit": {"type": "integer", "minimum": 1, "maximum": 50}},
            ),
            tool("get_task", "Get the details of a task.", {"task_id": "Id of the task"}),
            tool(
                "update_task",
                "Update a task.",
                {"task_id": "Id of the task"},
                {"title": "New title", "priority": PRIORITY},
            ),
            tool("cancel_task", "Cancel a task.", {"task_id": "Id of the task"}),
            tool("reopen_task", "Reopen a task.", {"task_id": "Id of the task"}),
            tool("delete_task", "Delete a task.", {"task_id": "Id of the task"}),
        ]
    )


def weather() -> Cluster:
    """Questions, a computation and an action."""
    city = {"city": "Name of the city"}
    return cluster(
        [
            tool("get_weather", "Get the current weather in a city.", city, domain="weather"),
            tool(
                "divide",
                "Divide two numbers.",
                {"a": {"type": "number"}, "b": {"type": "number"}},
                domain="weather",
            ),
            tool("refresh_station", "Refresh the station of a city.", city, domain="weather"),
            tool("think_aloud", "Thinks.", {"thought": "What to think"}, domain="weather"),
        ],
        "weather",
    )
