"""A stand-in for Gemini Live: the same wire, honest about being no model.

    google-genai ─wss─▶ server, line ─▶ core.Conversation ─▶ session.Session ─▶ floor.Floor ─▶ speaking
         ▲                │  ▲               │                    │                   │
         └─ messages, close  └── tick at     ├─▶ grammar          ├─▶ listening       ├─▶ answering, voice
                                next_wakeup  └─▶ agreement        └─▶ sound           └─▶ usage, resumption

It never pretends to understand. A spoken turn is answered with the caller's own sound and a sentence that says
how long it was; a typed turn with a synthetic voice that says what was written. All else is the protocol: order,
fields, bundling, pacing, voice activity, interruption, usage, resumption, the end of a connection's life.

    endings        every way this service closes a socket, as values                                    pure
    reading        the mechanism: JSON in, canonical names and right types out, or `Unreadable`         pure
    grammar        the data: every field of every client message                                        pure
    options        what a person running the emulator may choose                                        pure
    profiles       what distinguishes the model families, as data                                       pure
    agreement      a setup against a profile: refused, or what both sides agreed on                     pure
    sound          16-bit samples: rates, loudness, resampling                                          pure
    listening      where an utterance begins and ends                                                   pure
    voice          text as syllables of sine, audible and cheap                                         pure
    answering      what came in since the last answer, and the sentence that answers it                 pure
    speaking       an answer as timed messages, in the order and bundling of its family                 pure
    usage          tokens of the whole context, billed again each turn                                  pure
    resumption     handles, and who holds which conversation                                            pure
    calls          what was received and sent, counted                                                  pure
    floor          one answer at a time: begun, interrupted, billed                                     pure
    session        what comes in after the setup, and what it means                                     pure
    core           the gate and the hours: messages and a time in, messages and the next time out       pure
    certificate    a certificate authority made at start
    line           one WebSocket and its conversation; with `server` the only files that know a clock
    server         TLS, HTTP, and who is let in

*Pure* modules do no I/O and keep no clock, so that a fault can be tried in virtual time. The facts come from
Google's documentation of the Live API, from recorded traffic, and from what google-genai 3.4 was measured to
send; where nothing is known, the comment says that it is an assumption.
"""
