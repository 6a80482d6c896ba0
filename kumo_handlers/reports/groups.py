"""Which fields of a delivery-status body are about the message, and which about whom.

RFC 3464, 2.1: one group about the message, then one for each recipient. Where a sender put empty
lines elsewhere, the names of the fields decide.
"""

from __future__ import annotations

import msgspec

from kumo_handlers.reports import fields
from kumo_handlers.reports.fields import OF_RECIPIENT, PER_MESSAGE, RECIPIENT, Group, remark


class Groups(msgspec.Struct):
    """The groups of one report, possibly out of several parts; filled by `add`."""

    message: Group = {}
    recipients: list[Group] = []
    remarks: list[str] = []

    def add(self, text: str) -> None:
        """Read one delivery-status body, LF line ends, into the groups."""
        paragraphs = fields.read(text, self.remarks)
        stray: Group = {}
        known = len(self.recipients)
        for paragraph in paragraphs:
            if not RECIPIENT.isdisjoint(paragraph):
                group = self._about_recipient(paragraph)
                if len(self.recipients) > known and _is_begun(self.recipients[-1], group):
                    remark(self.remarks, "an empty line inside a recipient's fields")
                    _complete(self.recipients[-1], group)
                else:
                    self.recipients.append(group)
            elif len(self.recipients) == known or not PER_MESSAGE.isdisjoint(paragraph):
                if len(self.recipients) > known:
                    remark(self.remarks, "the fields about the message stand behind a recipient's")
                self._about_message(paragraph, stray)
            else:
                remark(self.remarks, "an empty line inside a recipient's fields")
                _complete(self.recipients[-1], paragraph)
        if stray:
            remark(self.remarks, "fields about a recipient stand among those about the message")
            for group in self.recipients[known:]:
                _complete(group, stray)

    def _about_recipient(self, paragraph: Group) -> Group:
        """The fields about the recipient; those about the message are put where they belong."""
        if PER_MESSAGE.isdisjoint(paragraph):
            return paragraph
        remark(self.remarks, "fields about the message stand among those about a recipient")
        group: Group = {}
        for name, values in paragraph.items():
            extension = name not in OF_RECIPIENT and name not in RECIPIENT
            if name in PER_MESSAGE or (extension and not group):
                self.message.setdefault(name, values)
            else:
                group[name] = values
        return group

    def _about_message(self, paragraph: Group, stray: Group) -> None:
        for name, values in paragraph.items():
            (stray if name in OF_RECIPIENT else self.message).setdefault(name, values)


def _is_begun(group: Group, more: Group) -> bool:
    """Whether ``group`` has one of the two addresses of a recipient, and ``more`` the other."""
    if not OF_RECIPIENT.isdisjoint(group):
        return False
    return all(name not in more for name in RECIPIENT.intersection(group))


def _complete(group: Group, more: Group) -> None:
    """Add the fields that a recipient's group lacks, or has empty."""
    for name, values in more.items():
        if not any(group.get(name, ())):
            group[name] = values
