"""Which workers are alive. A worker that falls silent gives its tasks back (see `jobs.lease`)."""

from __future__ import annotations

from django.db import models


class WorkerBeat(models.Model):
    worker_id = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.worker_id} at {self.at:%H:%M:%S}"
