"""The model's door: values on the inside, Google's Live API on the outside.

    LinkActor ── dial ──▶ Gemini ── google-genai: path, key, setup ──▶ GeminiLine, one task a session
                                                                          │    ▲
                             send: Audio Text …                           ▼    │  Speech Heard … Lost
                                                                       Uplink ─┴─ UpstreamSocket ◀═ TLS ═▶ Gemini
                                                                                     │
                                          frames of plain sound: audio_frames, by hand
                                          every other frame: the SDK's converter, then translate

    gemini           the only file that calls the SDK: dialling, converting
    line             one session: reading, sending, and what its end means
    upstream_socket  websockets' connection with the habits that it does not have by itself
    uplink           one ordered writer, which holds sound when the model's side does not take it
    audio_frames     plain sound as JSON, both ways, without the SDK                              pure
    translate        what the SDK understood, as values of this house                             pure
    faults           every way in which this can fail, in one table
    profiles         what differs between models                                                  pure
    emulator/        Gemini's side of the wire, for development and tests; child: as a process of its own

Nothing of JSON, base64, the SDK or websockets passes inward from here.
"""
