"""The few header fields that say whether a message can be a bounce, and what they look like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports import encoding, header_fields
from kumo_handlers.reports.nonstandard import openings

if TYPE_CHECKING:
    from kumo_handlers.reports import mime

MAX_FIELD = 1000

_MAIL_SYSTEM = re.compile(
    r"mailer[-_. ]?daemon|mail[-_. ]?daemon|mail[-_. ]delivery[-_. ](?:sub)?system|"
    r"post_master@|mail system|delivery[-_. ]subsystem|mailerdaemon|smtp daemon|message router|"
    r"internet mail delivery|mdaemon@|mta[-_. ]?daemon|mail administrator|system administrator|"
    r"system attendant|microsoft outlook <|microsoftexchange[0-9a-f]{8,40}|<>|<mailer>|"
    r"mail deliver|bounce[-_]?notif|delivery[-_. ]?(?:status|notif|fail|report)|undeliver|"
    r"mailsystem|mail transport|mail_service|mail-service|mail service|メール(?:配信|送信)|"
    r"配信システム"
)
# What a product for secure mail calls itself as well, and whoever runs the machines.
_WEAK = re.compile(
    r"mail[- _]?(?:system|service)|(?:mail|system)? ?administrator|system attendant|sys-?admin|"
    r"mail-?admin|mail[-_. ]?(?:filter|security)"
)
_POSTMASTER = re.compile(
    r"post-?master|\bndr\b|\bmailer\b|hostmaster|mail-?admin|sysadmin|mailmaster|\bmta\b|"
    # not of a program of another name: ``bugzilla-daemon``, ``Cron Daemon``
    r"(?:^|[<\"'(])daemon|(?:mail|smtp|post|delivery|mta)\w{0,10}[-_. ]?daemon|"
    r"mail[-_. ]?(?:gateway|server|router|relay|marshal|filter|security)|administrator|"
    r"groupwise|interscan|bounces?@|\bbounce\b|メールサーバ|メール管理者"
)
_MAILER_ADDRESS = re.compile(r"(?:^|[<\s])(?:mail(?:er)?[-_.]?daemon|postmaster)(?:[@>]|$| \()")
_ROLE = re.compile(
    r"no[-_.]?reply|\bmail@|smtp|exchange|server|gateway|system|admin@|root@|antivirus|security|"
    r"support@|service@|サーバ|管理者"
)
_DOMAIN = re.compile(r"@[\w.-]{1,255}")
_SUBJECT = re.compile(
    r"undeliver|non[- ]?deliver|un-deliver|returned mail|returned message|returned to sender|"
    r"failure notice|failure notification|delivery (?:status|fail|error|problem|notif|report|has)|"
    r"mail delivery|message delivery|returning message|mail failure|"
    r"mail error|mail not delivered|message not delivered|not delivered|could not be delivered|"
    r"cannot be delivered|unable to deliver|failed mail|failed delivery|failed to deliver|"
    r"bounced|bounce notif|nondeliverable|non remis|delivery delayed|delayed mail|"
    r"mail system error|mail could not|returned email|unknown user|user unknown|nicht zugestellt|"
    r"mail refused|message refused|rejected mail|message rejected|mail rejected|email rejected|"
    r"automatically rejected|^rejected: |^ndn: |^mail failed|"
    r"message you sent (?:was )?(?:block|reject|refus)|"
    r"considered unsolicited bulk|"
    # "Delivery Status Notification" as Windows has it in other languages
    r"benachrichtigung zum (?:übermittlungs|zustell(?:ungs)?)status|notification d'état de remise|"
    r"notificación de(?:l)? estado de (?:la )?entrega|notifica sullo stato del recapito|"
    r"notificação d[eo] (?:status|estado) d[ea] entrega|statusmelding van aflevering|"
    r"配信状態通知|传递状态通知|傳遞狀態通知|배달 상태 알림|уведомление \w состоянии доставки|"
    r"powiadomienie o stanie dostarczenia|"
    # GroupWise's are also of what was opened or deleted
    r"message status(?! - (?:open|read|delet|complet|delivered|accept|declin))|"
    r"mail status|smtp error|error sending|error in delivery|delivery delay|"
    r"(?:could|couldn't|can't|cannot|can not|was|wasn't) (?:not )?(?:be )?(?:sent|deliver)|"
    r"address not found|message blocked|mail blocked|no such user|message could|delayed \d+ hour|"
    r"warning: .{0,60}(?:delay|deliver|could not|sen[dt])|failed recipient|aws notification message"
)
# ``[EXTERNAL]``, ``***SPAM***``: what gateways put before a subject.
# Not what a help desk puts there: it answers a message that has the rest of the subject.
TAGS = (
    r"(?:(?:\[(?!request|ticket|case)[^\[\]\d\n]{1,30}\]|[*]{1,5}[^*\d\n]{1,30}[*]{1,5})"
    r"\s{0,3}){0,3}"
)
_TAGS = re.compile(TAGS)
_REPLYING = re.compile(
    r"(?:re|fwd?|aw|wg|tr|rv|antw|sv|vs|odp|ynt|res|enc|i|r|回复|答复|转发)"
    r"(?:\[\d{1,3}\])? ?[:\uff1a]"
)
_AWAY = re.compile(
    # not German ``Absender``, to whom a bounce goes back
    r"out[- ]of[- ](?:the[- ])?office|auto(?:matic|mated)?[- ]?(?:reply|response|replied|responder|"
    r"antwort|reply:)|vacation|on holiday|on leave|absen(?!der)|abwesen|réponse auto|reponse auto|"
    r"respuesta autom|risposta autom|resposta autom|automatisch antwoord|automatische antwort|"
    r"autosvar|automaattinen|автоответ|fuera de (?:la )?oficina|away (?:from|until)|不在|自動返信|"
    r"自动回复|自動回覆|i am away|i'm away|afwezig|odpowiedź auto"
)
_NO_BOUNCE = re.compile(
    r"bounce action|uncaught bounce|bounces? disabled|bounce report|quarantine|digest|summary|"
    r"confirm|verif|challenge|read:|gelesen:|lu ?:|leído:|letto:|lida:|read receipt|"
    r"return receipt|disposition|report domain:|dmarc|aggregate|newsletter|statistic|"
    r"tlsrpt|tls report|moderator|awaiting approval|subscri|abuse report|invoice|order |"
    r"\bvirus|\binfected\b|malware|\b(?:hourly|daily|weekly|monthly)\b|\bincident\b|"
    # what Postfix and Exim tell their own postmaster
    r"message status - (?:open|read|delet|complet|delivered|accept|declin)|"
    r"smtp server: errors from|authentication (?:fail|error)|"
    r"^message \S{3,40} (?:has been )?frozen|^cron <|"
    # a ticket system answers, with its number
    r"\[(?:request|ticket|case) [a-z]{3,12}\]|"
    r"^[a-z][a-z0-9]{1,15}-\d{1,7}(?: -|:) |"
    r"[\[(][a-z]{2,10}-\d{1,7}[\])]|"
    r"[\[(](?:ticket|case|issue|request|bug|inc|req)[- :#]{0,3}\w{0,6}\d|\[[\w-]{0,20} ?#\d"
)
_PERSONAL = re.compile(
    r"thunderbird|mozilla/|apple mail|iphone mail|ipad mail|microsoft (?:office )?outlook|"
    r"outlook express|evolution|mutt|\bk-?9|\bkmail|roundcube|squirrelmail|horde|eudora|the bat|"
    r"alpine|\bpine|claws|mailspring|airmail|windows live mail|android|mailchimp|phpmailer|"
    r"opera mail|becky|sylpheed|foxmail|yahoomail|zimbra"
)


class Heading(msgspec.Struct, frozen=True):
    """Header fields in lower case, encoded words decoded; ``""`` where there is none."""

    sender: str
    subject: str
    content_type: str
    auto_submitted: str
    mailer: str
    has_null_path: bool
    is_failed: bool
    is_answer: bool
    is_list: bool

    @property
    def is_from_mail_system(self) -> bool:
        """Whether the sender names itself as only mail systems do."""
        return bool(_MAIL_SYSTEM.search(self.sender))

    @property
    def is_from_mailer(self) -> bool:
        """Whether the name is a mailer's: one that nobody else takes, as ``Mail System``."""
        return bool(_MAIL_SYSTEM.search(_WEAK.sub("", self.sender)))

    @property
    def is_from_mailer_address(self) -> bool:
        """Whether it has the address of a mailer or postmaster, not only the name."""
        return bool(_MAILER_ADDRESS.search(self.sender))

    @property
    def is_from_true_postmaster(self) -> bool:
        """The same of a postmaster: an administrator is nobody's name for a mailer."""
        return bool(_POSTMASTER.search(_WEAK.sub("", _DOMAIN.sub("@", self.sender))))

    @property
    def is_from_postmaster(self) -> bool:
        """Whether a postmaster's address sent it, or one that bounces come from."""
        # The domain is left out: gmail.com and smtp.example.com have people, too.
        return not self.sender or bool(_POSTMASTER.search(_DOMAIN.sub("@", self.sender)))

    @property
    def is_from_role(self) -> bool:
        """Whether some other machine or function sent it."""
        return bool(_ROLE.search(_DOMAIN.sub("@", self.sender)))

    @property
    def has_bounce_subject(self) -> bool:
        """Whether the subject is one of those that mail systems write, in any language."""
        return bool(_SUBJECT.search(self.subject)) or openings.says(
            self.subject, openings.PLAIN_FAILURE
        )

    @property
    def begins_as_bounce(self) -> bool:
        """Whether the subject begins as a bounce's; behind it stands the original's subject."""
        begin = self._behind_tags
        return bool(_SUBJECT.match(self.subject, begin)) or self.subject.startswith(
            openings.PLAIN_FAILURE, begin
        )

    @property
    def is_status_report(self) -> bool:
        """Whether it claims to be a report on a delivery; without a report-type it may be."""
        return "multipart/report" in self.content_type and not self.is_other_report

    @property
    def is_other_report(self) -> bool:
        """Whether it is a read receipt, a complaint or a TLS report."""
        return any(name in self.content_type for name in _OTHER_REPORTS)

    @property
    def is_reply(self) -> bool:
        """Whether it answers or forwards a message."""
        return self.is_answer or bool(_REPLYING.match(self.subject, self._behind_tags))

    @property
    def is_from_person(self) -> bool:
        """Whether nothing says that a machine wrote it."""
        return not (
            self.is_failed
            or self.is_status_report
            or self.has_null_path
            or self.auto_submitted.startswith("auto")
            or self.is_from_role
            or self.is_from_mail_system
            or self.is_from_postmaster
        )

    @property
    def _behind_tags(self) -> int:
        tags = _TAGS.match(self.subject)
        return tags.end() if tags else 0

    @property
    def is_absence(self) -> bool:
        """Whether the subject is a vacation program's (RFC 3834)."""
        return bool(_AWAY.search(self.subject))

    @property
    def is_other_business(self) -> bool:
        """Whether the subject is of what mail and list systems send besides bounces."""
        begin = self._behind_tags
        return bool(
            _NO_BOUNCE.search(self.subject) or (begin and _NO_BOUNCE.search(self.subject[begin:]))
        )

    @property
    def is_personal(self) -> bool:
        """Whether a program wrote it that people write mail with."""
        return bool(self.mailer) and bool(_PERSONAL.search(self.mailer))


_OTHER_REPORTS = ("disposition-notif", "feedback", "tlsrpt")
_NULL_PATHS = (b"return-path: <>", b"return-path:<>", b"return-path: <mailer-daemon")


def of(message: mime.Message) -> Heading:
    """Read the few fields out of the header block."""
    lowered = message.lowered
    return Heading(
        sender=_folded(message, "from"),
        subject=_folded(message, "subject"),
        content_type=(message.header("content-type") or "").lower(),
        auto_submitted=_folded(message, "auto-submitted"),
        mailer=f"{_folded(message, 'user-agent')} {_folded(message, 'x-mailer')}".strip(),
        has_null_path=message.reverse_path == "" or any(path in lowered for path in _NULL_PATHS),
        is_failed=b"x-failed-recipients" in lowered,
        is_answer=b"in-reply-to:" in lowered,
        is_list=b"list-id:" in lowered or b"list-unsubscribe:" in lowered,
    )


# One of these stands in every sender and every English subject that the patterns above know, and
# in the subject of a complaint that has no fields.
_SENDER_STEM = re.compile(
    rb"d(?:aemon|eliver)|m(?:ail|aster|icrosoft|ta)|bounce|s(?:ystem|mtp)|<>|ndr|admin|interscan|"
    rb"groupwise|router|=\?"
)
_SUBJECT_STEM = re.compile(
    rb"de(?:liver|lay)|re(?:turn|ject|fus)|fail|b(?:ounce|lock)|unknown|error|s(?:tatus|en[dt])|"
    rb"no(?:t found|n remis|tification message)|warning|m(?:essage could|ail could)|"
    rb"nicht zugestellt|user|complaint about|=\?"
)


def is_ordinary(message: mime.Message) -> bool:
    """Whether nothing in the header can be a sign of a bounce: told in a few microseconds."""
    return message.reverse_path != "" and shows_nothing(message.signs, message.lowered)


def shows_nothing(found: mime.Signs, lowered: bytes) -> bool:
    """Whether no field of a header block is as a bounce has it."""
    if found.get(b"content-type", b"").find(b"multipart/report") >= 0:
        return False
    sender, subject = found.get(b"from") or b"<>", found.get(b"subject", b"")
    if _SENDER_STEM.search(sender.rpartition(b"@")[0] or sender):
        return False
    if not subject.isascii() or _SUBJECT_STEM.search(subject, 0, MAX_FIELD):
        return False
    if found.get(b"return-path", b"").startswith((b"<>", b"<mailer-daemon")):
        return False
    return b"x-failed-recipients" not in found or not _names_failed(lowered)


def _names_failed(lowered: bytes) -> bool:
    """Whether one of several such fields names anybody: the first may be empty."""
    return any(
        value and name == "x-failed-recipients" for name, value in header_fields.read(lowered)
    )


def _folded(message: mime.Message, name: str) -> str:
    value = message.header(name)
    return openings.fold(encoding.words(value[:MAX_FIELD])) if value else ""
