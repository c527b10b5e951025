"""Everything append-only: calls, attempts, bodies, the audit trail. The bottom of the house; history outlives what it speaks of."""
