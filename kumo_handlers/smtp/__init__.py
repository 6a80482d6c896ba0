"""The listener: a state machine that is fed bytes, and the asyncio server around it."""
