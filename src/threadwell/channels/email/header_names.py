"""How mail programs name the fields of a mail that they quote, in the languages they speak."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What a field says of the quoted mail. ``SENT`` are names that mail programs alone use."""

    SENDER = "sender"
    SENT = "sent"
    DATE = "date"
    TO = "to"
    SUBJECT = "subject"
    OTHER = "other"


_NAMES = {
    Role.SENDER: (
        "From|Von|De|Da|Van|Från|Fra|Lähettäjä|От кого|От|Від|Od|De la|Από|Kimden|Feladó"
        "|发件人|寄件者|差出人|보낸 사람|من|מאת|Người gửi|Dari"
    ),
    Role.SENT: (
        "Sent|Gesendet|Envoyé|Enviado el|Enviado|Enviada em|Enviada|Inviato|Verzonden"
        "|Skickat|Sendt|Lähetetty|Отправлено|Надіслано|Wysłano|Wysłane|Odesláno|Odoslané"
        "|Poslano|Trimis|Στάλθηκε|Gönderildi|Gönderilen|Elküldve|发送时间|寄件日期"
        "|送信日時|日時|보낸 날짜|تاريخ الإرسال|נשלח|Đã gửi|Terkirim"
    ),
    Role.DATE: (
        "Date|Datum|Fecha|Data|Дата|Dato|Päivämäärä|Dátum|Tarih|Ημερομηνία|日期|날짜|التاريخ|תאריך"
    ),
    Role.TO: (
        "To|An|À|A|Para|Aan|Till|Til|Vastaanottaja|Кому|Do|Komu|Către|Προς|Kime|Címzett"
        "|收件人|收件者|宛先|받는 사람|إلى|אל|Đến|Kepada"
    ),
    Role.SUBJECT: (
        "Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Aihe|Тема|Temat"
        "|Předmět|Predmet|Zadeva|Subiect|Θέμα|Konu|Tárgy|主题|主旨|件名|제목|الموضوع|נושא"
        "|Chủ đề|Subjek"
    ),
    Role.OTHER: (
        "Cc|Kopie|Copie|Bcc|Reply-To|Kopia|Копия|Kopio|Копія|Importance|Attachments|Anlagen"
    ),
}

#: The role of each name, in lower case.
ROLES = {name.lower(): role for role, names in _NAMES.items() for name in names.split("|")}
