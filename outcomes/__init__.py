"""What became of calls that were sent and not answered: asked of OpenAI where that is possible, else decided by a person."""
