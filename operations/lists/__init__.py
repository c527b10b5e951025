"""Lists of OpenAI's, read page by page to their end as background work."""
