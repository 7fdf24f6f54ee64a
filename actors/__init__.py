"""The map of the house.

    browser ─ws─▶ door ─▶ wire.parse ─▶ [mailbox] ConnectionActor ─▶ [mailbox] LinkActor ─▶ google-genai ─wss─▶ Gemini
       ▲                                     │      ▲                      │    ▲
       └────────── port.send ◀───────────────┘      └── what was said ◀────┘    └─ session, handle
                  beside the road: RateLimiterActor · Sentry

    SupervisorActor (root)                    tree.py: the house as one value
      ├─ RateLimiterActor                     quota lent in leases
      └─ SupervisorActor "callers"            a restart budget for each caller, and their directory
           ├─ ConnectionActor                 the caller's side of one call
           └─ LinkActor                       the model's side of the same call

Rooms:

    messages, replies, errors     everything that is said, answered and can go wrong            pure
    runtime, mailbox, future      how an actor lives: its mail, its timers, its rebirth
    supervisor, tree              who is started again, how often; the house as one value
    connection, phases            one caller: what a call may do when, and what is done
    intake, held, snapshots,      what they say, on its way up: what may be said, what came too early,
    allowance, lease              which picture when; quota spent locally
    stage, floor, transcript,     what the model says, on its way down: whose turn it is, who said what,
    delivery, playout             what is played when
    link, joiner                  one upstream session: dialling, joining small frames
    call, checkpoint, terms       the present call, where it has got to, on which terms calls are taken
    rate_limiter, buckets         quotas: kept by one actor, lent in leases
    wire/                         the caller's language                                         pure
    door/                         the caller's door: HTTP, sockets, who may enter
    live/                         the model's door: the only file that calls the SDK, and the emulator
    store/                        what must outlive an actor and is shared: quotas in memory
    settings, telemetry, metrics  the environment, read once; Sentry and Prometheus
    phone, sound                  a caller without a browser: `server.py call`

Inside, only values travel, by mail. Nothing of JSON, base64, the SDK or websockets passes `wire/` or `live/` inward.
"""
