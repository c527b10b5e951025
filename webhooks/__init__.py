"""Events that OpenAI sends: the receiver, their signature, the inbox, and what each kind of event makes happen."""
