"""For the tests of an app: mail made for an address, and a client that talks to the app."""

from kumo_handlers.testing.conversation import Conversation, Heard
from kumo_handlers.testing.recording import RecordingRelay
from kumo_handlers.testing.sample_mail import make_bounce, make_complaint, make_letter

__all__ = [
    "Conversation",
    "Heard",
    "RecordingRelay",
    "make_bounce",
    "make_complaint",
    "make_letter",
]
