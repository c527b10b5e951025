"""Any operation of OpenAI's API, asked by form: what a person asks, how it is sent, and what came of it."""
