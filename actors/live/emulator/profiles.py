"""What distinguishes the model families, as data. Pure.

Known from Google's model pages, from recorded traffic (gemini-2.5-flash-native-audio-preview-09-2025,
gemini-3.1-flash-live-preview) and from reports. No traffic of gemini-3.8-live has been published: its bundling is
assumed to be that of 3.1, the nearest recorded relative.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from actors.live.emulator.endings import INVALID, NOT_FOUND, Close

# fmt: off
VOICES = (
    "Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe", "Enceladus",
    "Iapetus", "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi", "Laomedeia", "Achernar",
    "Alnilam", "Schedar", "Gacrux", "Pulcherrima", "Achird", "Zubenelgenubi", "Vindemiatrix", "Sadachbia",
    "Sadaltager", "Sulafat",
)
# fmt: on
"""The prebuilt voices (ai.google.dev, "Speech generation")."""
DEFAULT_VOICE = "Puck"

NOWHERE = frozenset(
    {
        "avatarConfig",
        "explicitVadSignal",
        "generationConfig.translationConfig",
        "sessionResumption.transparent",
    }
)
"""Fields of a setup that belong to other models or to Vertex; google-genai refuses the last two by itself."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One family."""

    name: str
    models: tuple[str, ...]
    """Shell patterns of the ids, without `models/`."""
    refuses: frozenset[str]
    """Dotted paths that a setup may not have."""

    thinks: bool
    """An answer begins with a text part marked `thought`, asked for or not."""
    bundles: bool
    """Sound and its transcript travel in one message."""
    opens_empty: bool
    """An answer begins with `{"serverContent": {}}`."""

    proactive: bool
    """Proactive audio is always on; to switch it off is an error."""
    takes_null_handle: bool
    """`{"sessionResumption": {"handle": null}}` is accepted (strands-agents/harness-sdk#1999)."""
    takes_media_chunks: bool
    """`realtimeInput.mediaChunks` is accepted."""
    takes_context_update: bool
    mixes_tools: bool
    """Google Search may stand beside function declarations (google/adk-python#225)."""
    seeding_interrupts: bool
    """`clientContent` without `turnComplete` interrupts, too."""
    bills_silence: bool
    """All sound that was listened to is billed, not only speech."""

    window: int
    """Tokens of context."""
    instruction_tokens: int
    """Longest system instruction. Assumed: one of 41,942 tokens is reported as refused, no limit is documented."""
    lost_handle: Close
    """The answer to a handle that is unknown or expired. No report names the code for sure; 1007 was seen on
    gemini-3.8-live (discuss.ai.google.dev 186392), 1008 is what a lost entity gets elsewhere."""


NATIVE_25 = Profile(
    name="2.5 native audio",
    models=("gemini-2.5-flash-native-audio-*",),
    refuses=NOWHERE,
    thinks=True,
    bundles=False,
    opens_empty=False,
    proactive=False,
    takes_null_handle=True,
    takes_media_chunks=True,
    takes_context_update=False,
    mixes_tools=False,
    seeding_interrupts=True,
    bills_silence=False,
    window=131_072,
    instruction_tokens=32_768,
    lost_handle=NOT_FOUND,
)
LIVE_38 = Profile(
    name="3.8",
    models=("gemini-3.8-live",),
    refuses=NOWHERE | {"generationConfig.thinkingConfig", "generationConfig.enableAffectiveDialog"},
    thinks=False,
    bundles=True,
    opens_empty=True,
    proactive=True,
    takes_null_handle=False,
    takes_media_chunks=False,
    takes_context_update=True,
    mixes_tools=True,
    seeding_interrupts=False,
    bills_silence=True,
    window=131_072,
    instruction_tokens=32_768,
    lost_handle=INVALID,
)
PROFILES = (NATIVE_25, LIVE_38)


def profile_of(model: str) -> Profile | None:
    """The family of a model id, without `models/`; `None` for a model that this service does not have."""
    for profile in PROFILES:
        if any(fnmatchcase(model, pattern) for pattern in profile.models):
            return profile
    return None
