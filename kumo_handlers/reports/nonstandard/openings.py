"""How a notice says what happened: the phrases that announce a failure, a delay, a delivery.

Plain fragments, looked up in text that was folded (lower case, blanks collapsed, apostrophes
straight), so that neither line breaks nor capitals matter and no input is slow. A *plain*
fragment says it of mail and nothing else; a *vague* one also occurs in what people write, and
counts less as evidence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.reports.report import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN_FAILURE = (
    # English: the passive and the active, as MTAs of four decades put it
    *("not be delivered", "n't be delivered", "cannot be delivered", "not delivered to"),
    *("was not delivered", "wasn't delivered", "were not delivered", "has not been delivered"),
    *(
        "not been able to deliver",
        "unable to deliver",
        "not able to deliver",
        "n't able to deliver",
    ),
    *(
        "failed to deliver",
        "could not deliver",
        "couldn't deliver",
        "cannot deliver",
        "can't deliver",
    ),
    *("did not deliver", "not deliver your", "undeliverable", "undelivered", "non-delivered"),
    *("delivery failed", "delivery has failed", "delivery failure", "deliver failed"),
    *("failed delivery", "failure delivering", "error delivering", "delivery error"),
    *("delivery to the following", "delivery of your message", "delivering your mail"),
    *("deliver a message for the following", "trying to deliver", "attempting to deliver"),
    *("error occurred while attempting", "delivery problem", "problem delivering"),
    *("did not reach", "didn't reach", "could not be reached", "not reach the following"),
    *("permanent fatal error", "had fatal error", "permanent error", "permanent failure"),
    *("had permanent", "permanently failed", "failed permanently", "fatal delivery"),
    *("following address failed", "following address(es) failed", "following addresses failed"),
    *("recipients failed", "recipient failed", "failed addresses", "failed recipient"),
    *("returned to sender", "returned to the sender", "returning message to sender"),
    *(
        "message not sent",
        "could not be sent",
        "couldn't be sent",
        "was not sent",
        "cannot be sent",
    ),
    *("did not get your", "not get your message", "didn't get your message"),
    *("was not received by", "not receive a copy", "could not be forwarded", "did not receive"),
    *("was rejected by", "has been rejected", "have been rejected", "was rejected for"),
    *("automatically rejected", "rejected your message", "message was rejected"),
    *("rejected by the recipient", "your mail was rejected", "message you sent was rejected"),
    *("were rejected by", "was refused by", "message was blocked", "has been blocked"),
    *("transcript of session", "no such user here", "invalid final delivery"),
    *("returned mail", "mail could not", "message could not", "has encountered delivery"),
    *("unable to send", "undeliverable address", "address not found", "message blocked"),
    *("recipient inbox full", "not accepting mail from", "delivery aborted", "was aborted"),
    *("message bounced", "mail bounced", "has bounced", "bounced back", "bounce message"),
    *("delivery of the email was stopped", "considered unsolicited bulk"),
    # German
    *("ist zurückgekommen", "wurde zurückgewiesen", "wurde abgelehnt"),
    *("nicht zugestellt", "nicht ausgeliefert", "unzustellbar", "zustellung fehlgeschlagen"),
    *("fehler bei der zustellung", "zustellfehler", "zustellung ist fehlgeschlagen"),
    *("zustellung der nachricht", "nicht übermittelt", "nicht erreicht", "nicht zustellbar"),
    *("übermittlung an folgende", "nicht abgeliefert", "nicht beliefert"),
    *("zustellung an folgende", "nicht ausliefern", "zustellung ihrer nachricht"),
    *("zustellungsfehler", "nicht versendet werden", "zurück an absender"),
    # French
    *("a été refusé", "a été rejeté", "la remise aux destinataires"),
    *("n'a pas pu être", "n'a pu être", "impossible de remettre", "non remis", "pas été remis"),
    *("échec de la remise", "échec de remise", "remise a échoué", "non distribué", "non délivré"),
    *("n'ont pas pu être", "pas pu être distribué", "pas pu être délivré", "n'a pas été délivré"),
    *("n'a pas été distribué", "échec de la livraison", "impossible de délivrer"),
    *("echec de la remise", "echec de remise", "echec de la livraison", "n'a pas pu etre"),
    *("n'est pas parvenu", "non-remise", "erreur de distribution", "retour à l'expéditeur"),
    # Spanish
    *("la entrega a los siguientes",),
    *("fue rechazado", "ha sido rechazado", "fue devuelto", "ha sido devuelto"),
    *("no se ha podido entregar", "no se pudo entregar", "no pudo ser entregado"),
    *("no ha podido ser entregado", "no ha sido entregado", "no se ha entregado"),
    *("fallo de entrega", "fallo en la entrega", "entrega fallida", "no pudimos entregar"),
    *("error al entregar", "error en la entrega", "no se puede entregar", "no entregado"),
    *("no llegó a", "no ha llegado a", "no fue entregado", "no se han podido entregar"),
    *("mensaje devuelto", "devuelto al remitente", "correo devuelto", "error en el env"),
    *("no fue posible entregar", "no ha podido entregarse", "no se ha podido enviar"),
    # Italian, Portuguese
    *("impossibile recapitare", "mancato recapito", "non è stato recapitato", "non recapitabile"),
    *("non è stato possibile consegnare", "non può essere consegnato", "mancata consegna"),
    *("impossibile consegnare", "recapito non riuscito", "non è stato consegnato"),
    *("não foi possível entregar", "não pôde ser entregue", "não foi entregue", "não entregue"),
    *("falha na entrega", "erro na entrega", "não pode ser entregue", "não puderam ser entregues"),
    *("non e' stato recapitato", "non e' stato consegnato", "non e' stato possibile consegnare"),
    *("non puo' essere consegnato", "messaggio restituito", "nao foi possivel entregar"),
    *("nao foi entregue", "nao pode ser entregue", "nao entregue", "mensagem devolvida"),
    *("devolução de mensagem", "restituito al mittente", "non consegnato", "errore di consegna"),
    *("falha ao entregar", "erro no envio", "falha no envio", "errore nella consegna"),
    # Dutch, Scandinavian, Finnish
    *("niet worden afgeleverd", "niet afgeleverd", "onbestelbaar", "niet worden bezorgd"),
    *("feil ved levering", "leveringsfeil", "kunne ikke levere", "fejl ved levering"),
    *("aflevering bij de volgende", "aflevering aan deze"),
    *("inte levereras", "ikke leveret", "kan ikke leveres", "kon niet worden verzonden"),
    *("niet bezorgd", "kunde inte levereras", "gick inte att leverera", "kunne ikke leveres"),
    *("ikke leveres", "ikke levert", "inte levererats", "ei voitu toimittaa", "ei voida toimittaa"),
    *("aflevering mislukt", "bezorging mislukt", "kunde inte skickas", "ikke afleveres"),
    *("levering mislykkedes", "leveringen mislyktes", "toimitus epäonnistui", "ei toimitettu"),
    # Polish, Czech, Hungarian, Turkish, Greek, Romanian
    *("dostarczenie do następujących",),
    *("dostarczanie do następujących", "nepodařilo doručit", "nepovedlo doručit"),
    *("nem sikerült kézbesíteni",),
    *("nie można dostarczyć", "nie została dostarczona", "nie mogła zostać", "niedostarczon"),
    *("nelze doručit", "nedoručiteln", "nebyla doručena", "kézbesíthet"),
    *("δεν παραδόθηκε", "δεν ήταν δυνατή η παράδοση", "nu a putut fi livrat"),
    *("nemohla být doručena", "nebylo možné doručit", "nedorucen", "nedorucitel"),
    *("nemohla byt dorucena", "nepodarilo dorucit", "nie mogla zostac", "nie zostala dostarczona"),
    *("nu a fost livrat", "nu a putut fi trimis", "teslim edilmedi", "teslim edileme"),
    *("gönderileme", "iletileme", "nepodařilo se doručit", "nie udało się dostarczyć"),
    *("udało mi się dostarczyć", "nie dostarczono", "kézbesítési hiba", "sikertelen kézbesítés"),
    *("αποτυχία παράδοση", "δεν είναι δυνατή η παράδοση"),
    # Russian, Ukrainian
    *("не может быть доставлен", "не доставлен", "не было доставлен", "не удалось доставить"),
    *("доставка следующим получателям",),
    *("сбой доставки", "не удается доставить", "не удалось отправить", "доставка не удалась"),
    *("недоставлен", "не был доставлен", "невозможно доставить", "не могло быть доставлен"),
    *("не вдалося доставити", "не доставлено", "не може бути доставлен", "помилка доставки"),
    *("ошибка доставки", "не может быть отправлен", "не было отправлен", "не отправлен"),
    *("возвращено отправителю",),
    # Bulgarian, Serbian, Croatian, Slovak, Lithuanian, Indonesian, Vietnamese
    *("не беше доставен", "не може да бъде доставен", "nije isporučen", "nije moguće isporučiti"),
    *("nedoručen", "nebolo možné doručiť", "nepavyko pristatyti", "tidak dapat dikirim"),
    *("tidak terkirim", "gagal dikirim", "không thể gửi", "không gửi được"),
    # Arabic, Persian, Hebrew, Thai
    *("تعذر تسليم", "تعذر التسليم", "لم يتم تسليم", "تحویل داده نشد", "לא נמסר", "לא ניתן למס"),
    *("לא ניתן היה למסור", "ส่งไม่ได้", "ไม่สามารถส่ง", "ส่งไม่สำเร็จ"),
    # Japanese
    *("配信できません", "配送できません", "送信できません", "届けられません", "お届けできません"),
    *("配信に失敗", "送達できません", "宛先不明", "エラーメール", "届きません", "配信不能"),
    *("配信障害", "配送障害", "送信障害"),
    *("配送に失敗", "送信に失敗", "送信エラー", "配信エラー", "配送エラー", "配信されません"),
    *("届けることができません", "送ることができません", "受信できません", "配送不能"),
    *("メールの返送", "返送されました", "送信されません", "配達できません", "お送りできません"),
    *("送信失敗", "配信失敗", "配送失敗", "不達", "未達"),
    # Chinese, Korean
    *("无法投递", "退信", "无法送达", "投递失败", "未能送达", "無法傳遞", "被退回", "无法发送"),
    *("传递到下列收件人", "傳遞到下列收件者"),
    *("未送达", "传递邮件失败", "投递不成功", "没有发送成功", "傳遞失敗"),
    *("发送失败", "無法投遞", "無法送達", "未能投递", "系统退信", "投遞失敗"),
    *("未发送成功", "发送不成功", "未成功投递", "未能成功投递", "未能成功发送", "未能发送成功"),
    *("無法傳送", "無法寄達", "寄送失敗", "傳送失敗", "發送失敗", "未能送達"),
    *("전달하지 못했", "배달하지 못했", "반송", "전송하지 못했", "배달되지", "전송 실패"),
    *("전송되지 않", "전달되지 않", "발송되지 않", "보내지 못했", "보내지지 않", "발송 실패"),
    *("배달할 수 없", "전달할 수 없", "전송할 수 없", "전송에 실패", "발송에 실패", "전달 실패"),
)
VAGUE_FAILURE = (
    *("user unknown", "unknown user", "no such user", "invalid user", "mailbox is full"),
    *("mailbox full", "does not exist", "recipient unknown", "unknown recipient", "over quota"),
    *(
        "the following address",
        "following recipient",
        "the following error",
        "the following reason",
    ),
    *("error message below", "mail error", "mail failure", "quota exceeded", "exceeded quota"),
    *("returned mail", "was blocked", "rejected", "is disabled", "account is disabled"),
    *("is not a valid", "no mailbox here", "mailbox unavailable", "storage limit", "inbox is full"),
    *("user is unknown", "mail is returned", "message is returned", "loops back to"),
    *("not listed in", "unknown address", "invalid recipient", "exceed", "undisclosed address"),
)
PLAIN_DELAY = (
    *(
        "warning message only",
        "warning only",
        "just a warning",
        "do not need to resend",
        "don't need to resend",
    ),
    *(
        "do not need to re-send",
        "will continue to attempt",
        "will automatically retry",
        "has been delayed",
        "is delayed",
        "have been delayed",
    ),
    *("not yet been delivered", "not yet delivered", "still undelivered", "been delayed"),
    *("will be retried", "will continue to try", "will continue trying", "will keep trying"),
    *("delivery attempts will continue", "attempts will be repeated", "continue to be attempted"),
    *("still trying", "temporarily delayed", "delayed delivery", "delivery delayed"),
    *("will try again", "could not be delivered for", "temporary failure report"),
    *("continue trying to deliver", "trying to deliver it for", "delivery is delayed"),
    *("delivery status notification (delay", "delivery incomplete", "message delayed"),
    *("will be returned to you if", "keep trying until", "transient error", "automatically retry"),
    *("verzögert", "wird weiterhin versucht", "noch nicht zugestellt", "weitere zustellversuche"),
    *("a été retardé", "retardée", "n'a pas encore été", "se ha retrasado", "demorado"),
    *("todavía no se ha entregado", "è stata ritardata", "ritardat", "vertraagd", "отложен"),
    *("ещё не доставлен", "еще не доставлен", "遅延", "遅れています", "再送", "延迟", "지연"),
)
PLAIN_DELIVERY = (
    *("successfully delivered", "has been delivered to", "was delivered to the following"),
    *(
        "successful delivery",
        "was successfully",
        "successful mail delivery",
        "erfolgreich zugestellt",
    ),
    *("been successfully relayed", "successfully relayed", "delivery status notification (success"),
    *("delivery status notification (relay", "配信しました", "correctamente entregado"),
)
# Where one of these stands, the sender of the notice has stopped trying, whatever else it says.
GIVEN_UP = (
    *("permanent error", "failed permanently", "given up", "giving up", "gave up"),
    *("permanent fatal", "permanent failure", "will not be retried", "no further attempts"),
    *("unrecoverable", "will be deleted from", "has been deleted from", "not be attempted again"),
)
_SUBJECT_DELAY = ("(delay", ": delay", "delayed mail", "delay notification", ": warning")


class Opening(msgspec.Struct, frozen=True):
    """One phrase in the folded text, from ``start`` to ``end``."""

    action: Action
    start: int
    end: int
    is_plain: bool = True


def fold(text: str) -> str:
    """Lower case, straight apostrophes: what the fragments are looked up in."""
    return text.replace("\u2019", "'").replace("\u2018", "'").replace("\xa0", " ").casefold()


def find(folded: str) -> tuple[Opening, ...]:
    """Every family's phrases in ``folded``, each at its first place, in the order of the text."""
    found = [
        *_family(folded, PLAIN_FAILURE, Action.FAILED),
        *_family(folded, PLAIN_DELAY, Action.DELAYED),
        *_family(folded, PLAIN_DELIVERY, Action.DELIVERED),
        *(
            msgspec.structs.replace(opening, is_plain=False)
            for opening in _family(folded, VAGUE_FAILURE, Action.FAILED)
        ),
    ]
    return tuple(sorted(found, key=lambda opening: opening.start))


def _family(folded: str, fragments: tuple[str, ...], action: Action) -> Iterator[Opening]:
    for fragment in fragments:
        at = folded.find(fragment)
        if at >= 0:
            yield Opening(action, at, at + len(fragment))


# Words of success in the title of a list, and those that turn it into a failure's.
_SUCCEEDED = re.compile(
    r"\bsuccess|\bsucceeded|\b(?:was|were|been|is|are|be) (?:delivered|relayed|accepted|sent)\b|"
    r"\bdelivered(?: to| successfully|\W*+$)|erfolgreich|\bcorrect|\bcon éxito|avec succès|успешно"
)
_DID_NOT = re.compile(
    r"\bnot\b|n't\b|\bcannot|\bnever\b|\bfail|\bunable|undeliver|unsuccess|\berrors?\b|\bnicht\b|"
    r"\bno se\b|\bpas\b|\bне\b"  # noqa: RUF001 - Russian
)


_NOT_DELIVERED = re.compile(
    r"\b(?:not|un)\W{0,2}(?:delivered|sent|reached|successful)|\bfail(?:ed|ures?)\b"
)
# What stands behind an address in a table.
_DONE = re.compile(
    r"\W*+(?:status\W{1,3})?(?:was |has been |successfully )*+"
    r"(?:delivered|relayed|accepted|sent|ok)\b"
)


def title(folded: str) -> Action | None:
    """What the title of a list says of those in the list; None where it says nothing of them."""
    if _SUCCEEDED.search(folded) and not _DID_NOT.search(folded):
        return Action.DELIVERED
    if says(folded, PLAIN_FAILURE) or _NOT_DELIVERED.search(folded):
        return Action.FAILED
    return Action.DELAYED if says(folded, PLAIN_DELAY) else None


def sentence(folded: str) -> Action | None:
    """The same of a sentence that names whom it is about."""
    if says(folded, PLAIN_DELIVERY) and not _DID_NOT.search(folded):
        return Action.DELIVERED
    return Action.FAILED if says(folded, PLAIN_FAILURE) else None


def entry(folded: str) -> Action | None:
    """What the rest of a line says of the address that begins it, as in a table."""
    if _DONE.match(folded) and not _DID_NOT.search(folded):
        return Action.DELIVERED
    return Action.FAILED if _NOT_DELIVERED.search(folded) else None


def says(folded: str, fragments: tuple[str, ...]) -> bool:
    """Whether one of the fragments stands in the folded text."""
    return any(fragment in folded for fragment in fragments)


def action_of(folded: str, subject: str, openings: tuple[Opening, ...]) -> Action:
    """What the notice says happened: a delay only where nobody has given up.

    A delivery only where that is said first.
    """
    if says(subject, (*PLAIN_DELAY, *_SUBJECT_DELAY)) and not says(subject, PLAIN_FAILURE):
        return Action.DELAYED
    plain = [opening.action for opening in openings if opening.is_plain]
    if Action.DELAYED in plain and not says(f"{subject} {folded}", GIVEN_UP):
        return Action.DELAYED
    # What follows a success may still warn of later errors elsewhere.
    return Action.DELIVERED if plain[:1] == [Action.DELIVERED] else Action.FAILED
