"""Background work: supervisor, leased worker, heartbeat. Code elsewhere knows only `@task` and `.enqueue()`."""
