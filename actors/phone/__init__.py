"""A caller without a browser: `server.py call FILE.wav`.

phone     one call over one socket          dial     addresses, connecting, refusals in words
ear       the protocol, from the far side   pace     when each frame leaves
player    a player in thought: underruns    report   what a person reads
sound     WAV in and out, resampling
"""
