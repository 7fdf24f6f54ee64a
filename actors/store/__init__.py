"""What must outlive an actor, or be shared by several processes.

memory.py    quotas of one process
"""
