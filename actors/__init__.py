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
    supervisor, roster            who is started again; which children there are
    plan, tree, supervision       policy as values; the house as one of them; the mail of supervision
    connection, phases            one caller: what a call may do when, and what is done
    link                          one upstream session: dialling, listening, speaking
    call/                         what these two are made of
    rate_limiter, buckets         quotas: kept by one actor, lent in leases
    wire/                         the caller's language                                         pure
    door/                         the caller's door: HTTP, sockets, who may enter
    live/                         the model's door: the only file that calls the SDK, and the emulator
    store/                        what must outlive an actor and is shared: quotas in memory
    house                         all of it, built, opened and closed in order
    settings, arguments           the environment and the command line, read once
      checks, demands, mistakes,  what a value must be, what several must be together, how it is said,
      persona                     who the model is told to be
    telemetry, metrics, vitals    Sentry and logs, Prometheus, how the process itself is doing
    phone/                        a caller without a browser: `server.py call`

Inside, only values travel, by mail. Nothing of JSON, base64, the SDK or websockets passes `wire/` or `live/` inward.
"""
