"""The only door to OpenAI: client → gate → retries → transport → recorder. See ARCHITECTURE.md, "The path of one call"."""
