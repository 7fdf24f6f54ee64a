"""Every field of every client message, as data. Pure.

    message ──▶ read ──▶ ("realtimeInput", {…canonical names, right types…})   or Refused(INVALID)

After the public reference of BidiGenerateContent and of `google.ai.generativelanguage`'s messages, and the fields
that google-genai 3.4 was measured to send. What the reference names as unsupported in Live (`responseSchema`,
`stopSequences`, `routingConfig`, …) is left out, and so refused. What a field may *hold* for a given model is not
settled here but in `agreement`.
"""

from __future__ import annotations

from typing import Any

from actors.live.emulator.endings import INVALID, Refused
from actors.live.emulator.reading import (
    Record,
    Unreadable,
    anything,
    blob,
    boolean,
    each,
    number,
    one_of,
    struct,
    table,
    text,
    whole,
)

# ── contents ─────────────────────────────────────────────────────────────────────────────────────

BLOB = Record(mimeType=text, data=blob, displayName=text)
PART = Record(
    text=text,
    thought=boolean,
    thoughtSignature=blob,
    inlineData=BLOB,
    fileData=struct,
    functionCall=struct,
    functionResponse=struct,
    executableCode=struct,
    codeExecutionResult=struct,
    videoMetadata=struct,
    mediaResolution=anything,
    partMetadata=struct,
)
CONTENT = Record(role=text, parts=each(PART))

# ── tools ────────────────────────────────────────────────────────────────────────────────────────

TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
SCHEMA = Record(
    type=one_of(*TYPES, fold=True),
    format=text,
    title=text,
    description=text,
    nullable=boolean,
    enum=each(text),
    default=anything,
    example=anything,
    required=each(text),
    propertyOrdering=each(text),
    pattern=text,
    minimum=number,
    maximum=number,
    minItems=whole,
    maxItems=whole,
    minLength=whole,
    maxLength=whole,
    minProperties=whole,
    maxProperties=whole,
)
"""No `$ref`, `$defs`, `additionalProperties`: the service refuses a tool whose parameters have them."""
SCHEMA.add(items=SCHEMA, properties=table(SCHEMA), anyOf=each(SCHEMA))

FUNCTION = Record(
    name=text,
    description=text,
    parameters=SCHEMA,
    response=SCHEMA,
    behavior=one_of("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"),
)
"""No `parametersJsonSchema`: livekit/agents#5560 had to replace it by `parameters` for Live."""
TOOL = Record(
    functionDeclarations=each(FUNCTION),
    googleSearch=struct,
    googleSearchRetrieval=struct,
    codeExecution=struct,
    urlContext=struct,
)

# ── setup ────────────────────────────────────────────────────────────────────────────────────────

VOICE = Record(prebuiltVoiceConfig=Record(voiceName=text), replicatedVoiceConfig=struct)
SPEECH = Record(
    voiceConfig=VOICE,
    languageCode=text,
    multiSpeakerVoiceConfig=Record(speakerVoiceConfigs=each(Record(speaker=text, voiceConfig=VOICE))),
)
GENERATION = Record(
    responseModalities=each(one_of("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")),
    temperature=number,
    topP=number,
    topK=number,
    maxOutputTokens=whole,
    candidateCount=whole,
    presencePenalty=number,
    frequencyPenalty=number,
    seed=whole,
    speechConfig=SPEECH,
    mediaResolution=one_of(*(f"MEDIA_RESOLUTION_{size}" for size in ("UNSPECIFIED", "LOW", "MEDIUM", "HIGH"))),
    enableAffectiveDialog=boolean,
    thinkingConfig=Record(
        includeThoughts=boolean,
        thinkingBudget=whole,
        thinkingLevel=one_of("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
    ),
    translationConfig=Record(targetLanguageCode=text, echoTargetLanguage=boolean),
)
TRANSCRIPTION = Record(
    languageCodes=each(text),
    languageAuto=struct,
    languageHints=struct,
    customVocabulary=each(text),
    adaptationPhrases=each(text),
    wordTimestamp=boolean,
    diarization=boolean,
    mode=one_of("MODE_UNSPECIFIED", "VERBATIM", "SMART"),
)
LISTENING = Record(
    automaticActivityDetection=Record(
        disabled=boolean,
        startOfSpeechSensitivity=one_of(*(f"START_SENSITIVITY_{level}" for level in ("UNSPECIFIED", "HIGH", "LOW"))),
        endOfSpeechSensitivity=one_of(*(f"END_SENSITIVITY_{level}" for level in ("UNSPECIFIED", "HIGH", "LOW"))),
        prefixPaddingMs=whole,
        silenceDurationMs=whole,
    ),
    activityHandling=one_of("ACTIVITY_HANDLING_UNSPECIFIED", "START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"),
    turnCoverage=one_of(
        "TURN_COVERAGE_UNSPECIFIED",
        "TURN_INCLUDES_ONLY_ACTIVITY",
        "TURN_INCLUDES_ALL_INPUT",
        "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
    ),
    interimTranscriptTimestampEnabled=boolean,
)
HARMS = tuple(
    f"HARM_CATEGORY_{harm}"
    for harm in (
        "UNSPECIFIED",
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
        "DANGEROUS_CONTENT",
        "CIVIC_INTEGRITY",
    )
)
THRESHOLDS = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
)
SETUP = Record(
    model=text,
    generationConfig=GENERATION,
    systemInstruction=CONTENT,
    tools=each(TOOL),
    sessionResumption=Record(handle=text, transparent=boolean),
    contextWindowCompression=Record(triggerTokens=whole, slidingWindow=Record(targetTokens=whole)),
    inputAudioTranscription=TRANSCRIPTION,
    outputAudioTranscription=TRANSCRIPTION,
    realtimeInputConfig=LISTENING,
    proactivity=Record(proactiveAudio=boolean, proactiveVideo=boolean),
    explicitVadSignal=boolean,
    historyConfig=Record(initialHistoryInClientContent=boolean),
    avatarConfig=struct,
    safetySettings=each(Record(category=one_of(*HARMS), threshold=one_of(*THRESHOLDS))),
    labels=table(text),
)

# ── after setup ──────────────────────────────────────────────────────────────────────────────────

REALTIME = Record(
    mediaChunks=each(BLOB),
    audio=BLOB,
    video=BLOB,
    text=text,
    activityStart=struct,
    activityEnd=struct,
    audioStreamEnd=boolean,
)
TOOL_ANSWER = Record(
    id=text,
    name=text,
    response=struct,
    willContinue=boolean,
    scheduling=one_of("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"),
    parts=each(struct),
)
MESSAGE = Record(
    setup=SETUP,
    clientContent=Record(turns=each(CONTENT), turnComplete=boolean),
    realtimeInput=REALTIME,
    toolResponse=Record(functionResponses=each(TOOL_ANSWER)),
    contextUpdate=Record(systemInstruction=CONTENT, tools=Record(tools=each(TOOL))),
)


def read(message: Any) -> tuple[str, dict[str, Any]]:
    """Which of the five messages this is, and what it says. Raises `Refused` if it is none of them, or several."""
    try:
        said = MESSAGE(message, 0)
    except Unreadable as error:
        raise Refused(INVALID, str(error)) from None
    kinds = [kind for kind, body in said.items() if body is not None]
    if len(kinds) != 1:
        raise Refused(INVALID, f"message: expected exactly one kind, found {len(kinds)}")
    return kinds[0], said[kinds[0]]
