"""Background work: the leased worker, its heartbeat, the supervisor. Code elsewhere knows only `@task` and `.enqueue()`."""
