"""From the words of a refusal to its enhanced status (RFC 3463), where no code is given.

The first row that fits decides, so the particular stands before the general. The class (4 or 5)
comes from the reply code, else from what happened; a row that fixes it says so. Fragments are
folded text, as in `openings`.
"""

from __future__ import annotations

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports.report import Action

# subject.detail of RFC 3463, 3; with the class where only one makes sense.
_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # X.4.7 delivery time expired. The class is 4: each attempt failed transiently.
    (
        "4.4.7",
        (
            *("expired", "retry time", "too old", "giving up after", "in queue too long"),
            *("in the queue too long", "queue too long", "time limit exceeded", "timeout exceeded"),
            *("maximum time", "delivery time", "too long in queue", "hours without success"),
            *("days without success", "after repeated attempts", "could not be delivered within"),
            *("cannot send message for", "could not send message for"),
            *("cannot be delivered within", "been in the queue", "maximum number of attempts"),
            *("will be deleted from queue", "deleted from the queue"),
        ),
    ),
    # X.3.4 message too big for the system, in words that a full mailbox has as well
    ("3.4", ("mail size limit", "message size limit")),
    # X.2.2 mailbox full
    (
        "2.2",
        (
            *("mailbox full", "mailbox is full", "mail box full", "mail box is full", "over quota"),
            *("overquota", "quota exceed", "exceeded quota", "exceeds quota", "exceeded the quota"),
            *("over the allowed quota", "quota violation", "disk quota", "storage limit"),
            *("exceeded its storage", "exceeded storage", "exceeds storage", "out of storage"),
            *("inbox is full", "inbox full", "insufficient space", "not enough space"),
            *(
                "mailbox size",
                "mailbox quota",
                "quota has been",
                "exceeded his",
                "exceeded the local",
            ),
            *(
                "mailbox exceeds",
                "exceeded its quota",
                "exceeded their quota",
                "limit exceeded",
                "over limit",
                "mailfolder is full",
                "mail folder is full",
            ),
            *("postfach voll", "postfach ist voll", "boîte pleine", "boîte aux lettres pleine"),
            *("buzón lleno", "buzón está lleno", "casella piena", "caixa cheia", "переполнен"),
            *(
                "postfach des empfängers ist voll",
                "boîte du destinataire est pleine",
                "buzón lleno",
            ),
            *("caixa postal cheia", "postvak is vol", "skrzynka jest pełna", "posta kutusu dolu"),
            *("schránka je plná", "brevlådan är full", "postkassen er fuld", "가득", "一杯です"),
            *("容量を超", "容量超過", "容量オーバー", "邮箱已满", "邮箱空间", "信箱已滿"),
            *("mailbox voll", "mailbox ist voll", "postfach überfüllt", "postfach ist überfüllt"),
            *("è piena", "e' piena", "está cheia", "está llena", "est pleine", "compte plein"),
            *("przepełnion", "megtelt", "er fuld", "boksen er full", "переповнен", "용량이 초과"),
            *("용량 초과", "용량을 초과", "空间不足", "已滿"),
        ),
    ),
    # X.3.4 message too big for the system
    (
        "3.4",
        (
            *(
                "too large",
                "too big",
                "message size",
                "size limit",
                "maximum size",
                "length exceed",
            ),
            *(
                "exceeds the maximum",
                "size exceed",
                "zu groß",
                "größe das limit",
                "maximale größe",
                "trop volumineux",
                "demasiado grande",
            ),
            *("サイズ",),
        ),
    ),
    # X.2.1 mailbox disabled
    (
        "2.1",
        (
            *("account disabled", "account is disabled", "mailbox disabled", "mailbox is disabled"),
            *("account has been disabled", "user disabled", "is disabled", "been suspended"),
            *("account suspended", "is suspended", "inactive", "deactivated", "has been closed"),
            *("account is closed", "account closed", "account expired", "temporarily locked"),
            *("mailbox locked", "is locked", "not currently accepting", "discontinued"),
            *("administrative disabled", "administratively disabled", "no longer active"),
        ),
    ),
    # X.4.6 routing loop
    (
        "4.6",
        (
            *("too many hops", "hop count", "mail loop", "routing loop", "mail loops back"),
            *("loops back to", "looping", "loop detected", "maximum hops", "relay loop"),
        ),
    ),
    # X.4.4 unable to route: Postfix's own choice for these words
    ("4.4", ("name service error for name",)),
    # X.1.2 bad destination system
    (
        "1.2",
        (
            *(
                "host unknown",
                "unknown host",
                "domain not found",
                "no such domain",
                "host not found",
            ),
            *("domain does not exist", "domain doesn't exist", "unknown domain", "domain unknown"),
            *("unrouteable mail domain", "unrouteable domain", "unroutable domain", "bad domain"),
            *("name or service not known", "couldn't find any host", "cannot find any host"),
            *("can't find the domain", "no mx", "illegal host", "invalid domain", "nxdomain"),
            *("domain name not found", "non-existent domain", "nonexistent domain", "dns error"),
            *("domain couldn't be found", "unable to find the domain", "invalid host"),
            *("destination computer was not found", "remote domain was not found"),
            *("non-existent hosts", "non-existent host", "unknown mail host"),
            *(
                "name server: ",
                "host is unknown",
                "domain is unknown",
                "find an mx record",
                "nullmx",
                "does not accept mail (nullmx",
                "no route to domain",
            ),
        ),
    ),
    # X.1.1 bad destination mailbox
    (
        "1.1",
        (
            *("user unknown", "unknown user", "no such user", "no mailbox", "mailbox not found"),
            *("does not exist", "doesn't exist", "do not exist", "not listed in", "no such person"),
            *("unknown recipient", "recipient unknown", "invalid recipient", "recipient not found"),
            *("no such recipient", "no such address", "address not found", "address unknown"),
            *(
                "unknown address",
                "invalid mailbox",
                "invalid user",
                "invalid address",
                "user invalid",
            ),
            *("couldn't be found", "could not be found", "wasn't found", "was not found"),
            *("user not found", "not our customer", "addressee unknown", "no local mailbox"),
            *("not recognized", "not recognised", "unknown local", "unknown or illegal"),
            *("not a valid", "no valid recipient", "not a known user", "not known here"),
            *("no such mailbox", "mailbox does not", "account not found", "no such account"),
            *("no account by", "bad destination mailbox", "bad recipient", "unknown mailbox"),
            *("unrouteable address", "unroutable address", "no matches to nameserver", "no user"),
            *(
                "not a user",
                "not a registered",
                "no such local",
                "is not local",
                "not exist",
                "misspelled",
                "nonexistent",
                "non-existent",
            ),
            *(
                "not found",
                "unknown account",
                "illegal alias",
                "no longer valid",
                "no longer accepts mail",
                "was unknown",
                "were unknown",
                "not in the directory",
                "bad address",
                "unrecognised-or",
                "unrecognized-or",
                "not known at",
                "not known to",
                "is not known",
                "is unknown",
                "destination was invalid",
                "invalid subscriber",
                "такого пользователя",
                "invalid final delivery",
                "nie ma takiego użytkownika",
                "no longer exist",
            ),
            *(
                "unbekannt",
                "domino-verzeichnis",
                "existiert nicht",
                "nicht gefunden",
                "inconnu",
                "n'existe pas",
            ),
            *("nu exista", "nu există", "查無此", "無此使用者", "nieznany", "neznámý", "okänd"),
            *("ukendt", "ukjent", "tuntematon", "không tồn tại"),
            *("user doesn't have a", "inexistente", "introuvable", "no se encontr", "non trovat"),
            *(
                "não encontr",
                "nie znaleziono",
                "neexistuje",
                "nenalezen",
                "findes ikke",
                "ismeretlen",
            ),
            *("finns inte", "hittades inte", "ikke funnet", "ei löyty", "bulunamad", "찾을 수 없"),
            *("desconocid", "no existe", "sconosciuto", "non esiste", "inesistente", "não existe"),
            *(
                "desconhecid",
                "onbekend",
                "bestaat niet",
                "nie istnieje",
                "неизвестн",
                "не существует",
            ),
            *(
                "не найден",
                "存在しません",
                "宛先不明",
                "見つかりません",
                "不存在",
                "没有找到",
                "找不到",
                "존재하지",
            ),
        ),
    ),
    # X.1.4 more than one mailbox of that name
    ("1.4", ("name is ambiguous", "address is ambiguous", "not unique")),
    # X.1.6 mailbox has moved
    ("1.6", ("has moved", "no longer with", "no longer at", "changed his address", "user moved")),
    # X.4.1 no answer from host, X.4.2 bad connection: transient, however long it lasted
    (
        "4.4.1",
        (
            *("connection refused", "no route to host", "host is down", "not reachable"),
            *("could not connect", "unable to connect", "couldn't connect", "can't connect"),
            *("establish an smtp", "connect to", "connection timed out", "unreachable"),
            *("requests to connect",),
            *("no answer from host", "could not initiate", "operation timed out", "not responding"),
        ),
    ),
    (
        "4.4.2",
        (
            *("connection dropped", "lost connection", "connection lost", "connection died"),
            *("timed out while", "connection reset", "closed connection", "connection closed"),
            *("broken pipe", "timeout", "timed out"),
        ),
    ),
    # X.7.1 delivery not authorized, message refused
    (
        "7.1",
        (
            *("spam", "blacklist", "blocklist", "block list", "black list", "blocked", "policy"),
            *("relaying denied", "relay access denied", "relaying not", "relay not", "denied"),
            *("not authorized", "not authorised", "not allowed", "not permitted", "prohibited"),
            # not what a gateway puts below each message: ``scanned for viruses``
            *("a virus", "the virus", "virus found", "virus detected", "contains virus"),
            *("virus infect", "infected", "computer virus", "forbidden", "unzulässig"),
            *("unsolicited", "reputation", "banned", "refused", "not accepting mail"),
            *("dnsbl", "spf", "dkim", "dmarc", "gesperrt", "insecure mail relay"),
        ),
    ),
    # X.3.1 mail system full; X.3.2 not accepting; X.3.0 any other
    ("3.1", ("insufficient system storage", "insufficient disk", "disk full", "system is full")),
    ("3.2", ("not accepting messages", "service unavailable", "service not available")),
    ("2.0", ("mailbox unavailable", "mailbox not available", "mailbox temporarily")),
    ("3.0", ("command died", "command failed", "local error", "mailer error", "system error")),
)

# RFC 5321, 4.2.2 and 4.2.3, where the code itself says what happened.
_REPLIES = {
    421: "4.3.2",
    450: "4.2.0",
    451: "4.3.0",
    452: "4.3.1",
    455: "4.5.4",
    500: "5.5.2",
    501: "5.5.4",
    502: "5.5.1",
    503: "5.5.1",
    504: "5.5.4",
    521: "5.3.2",
    551: "5.1.6",
    552: "5.2.2",
    553: "5.1.3",
    556: "5.1.10",
}


def status_of(folded: str, reply_code: int | None, action: Action) -> EnhancedStatusCode:
    """The status that the words stand for, else the reply code, else what happened alone."""
    leading = _class(reply_code, action)
    for status, fragments in _REASONS:
        if any(fragment in folded for fragment in fragments):
            # A status with its class stands for what has no permanent form.
            return _code(status if status.count(".") > 1 else f"{leading}.{status}")
    return _code(_REPLIES.get(reply_code or 0, f"{leading}.0.0"))


def is_reason(folded: str) -> bool:
    """Whether the words stand for a status of their own."""
    return any(fragment in folded for _, fragments in _REASONS for fragment in fragments)


def _class(reply_code: int | None, action: Action) -> int:
    if reply_code is not None:
        return reply_code // 100
    return {Action.DELAYED: 4, Action.FAILED: 5}.get(action, 2)


def _code(status: str) -> EnhancedStatusCode:
    class_, subject, detail = map(int, status.split("."))
    return EnhancedStatusCode(class_, subject, detail)
