"""The rights our manager user needs, action by action and event by event; `deploy/asterisk` and `ivr doctor` follow it.

From `ast_manager_register_xml` calls and event classes in Asterisk 22: main/manager.c, main/db.c, apps/app_queue.c.
"""

from __future__ import annotations

READ_CLASSES = ("system", "call", "agent")
"""`read` in manager.conf. system: FullyBooted; call: OriginateResponse, DialEnd, Hangup; agent: queues."""

WRITE_CLASSES = ("system", "originate", "reporting")
"""`write` in manager.conf. `system` is for Filter, DBDel and Hangup: without it nothing is filtered, marks of callbacks
stay in Asterisk's database, and a telephone goes on ringing when its callback is cancelled."""

ACTIONS = ("Originate", "CoreShowChannels", "DBGet", "DBDel", "Hangup", "QueueStatus", "CoreSettings", "Filter")
"""The actions we use beyond Login, Ping and Events, which need no right."""
