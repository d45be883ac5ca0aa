"""State machines of conversations, made with LangGraph; chosen by `conf/graphs/`."""
