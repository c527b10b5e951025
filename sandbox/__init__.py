"""A local stand-in for OpenAI, reached over HTTP only: try everything without a key and without paying.

Start it with ``python -m sandbox --port 8700`` and give ``http://127.0.0.1:8700/v1`` as the base URL. Any key that
starts with ``sk-`` is good. It imports nothing of Patchbay and Patchbay imports nothing of it: as with OpenAI, the wire
is all that they share. It listens on loopback only and refuses to start where ``ENVIRONMENT=production``.

It answers responses (plain, streamed, background), chat completions, embeddings, images, moderations, models, files,
batches and webhook endpoints in OpenAI's shapes, sends rate-limit headers from a real sliding window, and delivers
signed webhooks. Texts are made from the words of the question: the same question gets the same answer.

How to make it fail:

* **By key**, so that it can be tried from a form: ``sk-sandbox-wrong``, ``sk-sandbox-no-models``,
  ``sk-sandbox-no-responses``, ``sk-sandbox-no-credit``, ``sk-sandbox-rate-limited``, ``sk-sandbox-slow``,
  ``sk-sandbox-broken``. ``GET /_sandbox/keys`` says what each does. The organization ``org-wrong`` and the project
  ``proj_wrong`` are refused with every key.
* **By order**: ``POST /_sandbox/faults`` with one or a list of ``{"kind": "500", "times": 2, "path": "/responses"}``.
  The oldest fault that fits a request is used up by it. ``GET /_sandbox/faults`` shows what is left and every kind,
  ``DELETE`` clears. ``faults.Fault`` documents each field.
* **By limit**: ``POST /_sandbox/settings`` with ``{"rpm": 3}``; see ``settings.Settings`` for all of them.
* **By webhook**: ``POST /_sandbox/events`` with ``{"type": "response.completed", "data": {"id": "resp_1"}}`` sends an
  event now: twice (``"copies": 2``), too late (``"timestamp_offset": -600``) or forged (``"forge": true``).

What happened: ``GET /_sandbox/journal`` lists every request seen, ``GET /_sandbox/deliveries`` every webhook sent.
``POST /_sandbox/reset`` forgets everything. State is in memory and bounded; only webhook endpoints outlive a restart,
in the file given by ``--state``.
"""
