"""The caller's language: frames in, values out, and the other way round. Pure.

    text or binary frame ──▶ parse.parse ──▶ messages.FromCaller, or BadFrame / UnknownType
    replies.Reply        ──▶ write.write_text, write.write_sound ──▶ what the socket sends

    parse.py        one frame to one value
    from_caller.py  the models of what callers send, each with the value it becomes
    start.py        the most forgiving of them
    part.py         what all models have in common
    weight.py       refuses what would unfold into far more than it is
    media.py        what counts as sound, what counts as a picture
    alphabets.py    one decoder for the spellings of base64 that callers use
    complaint.py    what pydantic found, in our words and without the caller's
    limits.py       every size, pattern and count, with its name and unit
    write.py        one reply to one frame
    to_caller.py    the models of what the house sends
    of_turn.py      those of a turn: words, sound, beginnings and ends
    schema.py       the models as JSON Schema, and as the page `docs/protocol.md`

Nobody outside this room knows JSON or base64, and nothing in it knows a socket, a clock or an actor.
"""
