"""The gate: who may send now. Window, slots, tokens, money and leases stand in the database and are taken in one step.

tickets   one attempt on its way
rules     who may pass: pure
state     the database's side: what stands, read and written in a few statements
holds     what OpenAI's answers say about the calls to come
turn      everything that was said since the last turn, in one transaction
thread    one thread in each process, which takes the turns
waiting   what callers say to that thread, and how they wait for it
"""

from openai_api.gate.state import clock
from openai_api.gate.thread import Gate, batch, gate
from openai_api.gate.tickets import Ticket
from openai_api.gate.waiting import Reply

__all__ = ["Gate", "Reply", "Ticket", "batch", "clock", "gate"]
