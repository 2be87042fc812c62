"""What WhatsApp writes in place of a file or of words, in the languages that we have met.

All in small letters. What is missing here stays in the text; nothing is lost by it.
"""

from __future__ import annotations

#: Android, in angle brackets: a file that the export was made without.
LEFT_OUT = frozenset(
    {
        *("media omitted", "multimedia omitido", "archivo omitido", "archivo multimedia omitido"),
        *("medien ausgeschlossen", "medien weggelassen", "médias omis", "média omis"),
        *("fichier omis", "fichier multimédia omis", "arquivo de mídia oculto", "mídia oculta"),
        *("mídia omitida", "ficheiro não revelado", "ficheiro multimédia omitido"),
        *("media omessi", "media omesso", "media weggelaten", "media utelämnat"),
        *("media utelämnade", "media har utelämnats", "media utelatt", "medier utelatt"),
        *("medier udeladt", "mediefil udeladt", "mediefiler udeladt", "media jätetty pois"),
        *("medya dahil edilmedi", "pominięto multimedia", "pliki pominięte", "média vynechány"),
        *("médiá vynechané", "без медиафайлов", "медиафайл пропущен", "без медіафайлів"),
        *("hiányzó médiafájl", "fără media", "fișiere media omise", "media tidak disertakan"),
        *("media dikecualikan", "تم استبعاد الوسائط", "המדיה לא נכללה", "メディアは含まれません"),
        *(
            "省略多媒体文件",
            "媒体文件已省略",
            "已略過多媒體檔",
            "多媒體檔案略去",
            "미디어 파일 생략됨",
        ),
        *("미디어 생략됨", "video message omitted", "video note omitted", "voice message omitted"),
        *("view once voice message omitted", "view once photo omitted", "view once video omitted"),
    }
)

#: The iPhone, behind a mark of direction: a file of a kind, likewise.
KINDS_LEFT_OUT = {
    phrase: kind
    for kind, phrases in {
        "image": (
            *(
                "image omitted",
                "imagen omitida",
                "bild weggelassen",
                "image absente",
                "image omise",
            ),
            *("imagem ocultada", "imagem omitida", "immagine omessa", "afbeelding weggelaten"),
            *("изображение отсутствует", "bild utelämnad", "bilde utelatt", "billede udeladt"),
            *("kuva jätetty pois", "obraz pominięty", "görüntü dahil edilmedi"),
        ),
        "video": (
            *("video omitted", "video omitido", "vídeo omitido", "video weggelassen"),
            *("vidéo absente", "vidéo omise", "vídeo ocultado", "video omesso", "video weggelaten"),
            *("видео отсутствует", "video utelämnad", "video utelatt", "video udeladt"),
        ),
        "audio": (
            *("audio omitted", "audio omitido", "audio weggelassen", "audio omis", "audio absent"),
            *("áudio ocultado", "áudio omitido", "audio omesso", "audio weggelaten"),
            *("аудиофайл отсутствует", "ljud utelämnat", "lyd utelatt", "lyd udeladt"),
        ),
        "gif": (
            *("gif omitted", "gif omitido", "gif weggelassen", "gif retiré", "gif omis"),
            *("gif absent", "gif ocultado", "gif esclusa", "gif omessa", "gif weggelaten"),
        ),
        "sticker": (
            *("sticker omitted", "sticker omitido", "sticker weggelassen", "sticker omis"),
            *("sticker absent", "figurinha omitida", "sticker non incluso", "sticker omesso"),
            *("sticker weggelaten", "стикер отсутствует"),
        ),
        "document": (
            *("document omitted", "documento omitido", "dokument weggelassen", "document omis"),
            *("document absent", "documento ocultado", "documento omesso", "document weggelaten"),
            *("документ отсутствует", "dokument utelämnat", "dokument utelatt"),
        ),
        "contact card": (
            *("contact card omitted", "tarjeta de contacto omitida", "kontaktkarte ausgelassen"),
            *("kontaktkarte weggelassen", "fiche contact absente", "carte de contact omise"),
            *("cartão do contato omitido", "scheda contatto omessa", "contactkaart weggelaten"),
        ),
        "video note": (
            *("video note omitted", "nota de video omitida", "videonachricht weggelassen"),
            *("note vidéo absente", "videobericht weggelaten", "nota de vídeo omitida"),
        ),
    }.items()
    for phrase in phrases
}

#: Android, in brackets behind the name of a file that came along.
CAME_ALONG = frozenset(
    {
        *("file attached", "archivo adjunto", "datei angehängt", "fichier joint", "file allegato"),
        *(
            "arquivo anexado",
            "ficheiro anexado",
            "bestand bijgevoegd",
            "bifogad fil",
            "fil bifogad",
        ),
        *("fil vedlagt", "vedhæftet fil", "fil vedhæftet", "tiedosto liitetty", "dosya ekli"),
        *("dosya eklendi", "plik dołączony", "załączono plik", "soubor byl přiložen"),
        *("soubor přiložen", "súbor priložený", "файл добавлен", "файл додано", "fájl csatolva"),
        *("fișier atașat", "file terlampir", "fail dilampirkan", "ملف مرفق", "קובץ מצורף"),
        *("添付ファイル", "文件附件", "附件", "檔案已附加", "파일 첨부됨", "फ़ाइल संलग्न"),
    }
)

#: The iPhone, before the name of a file that came along: ``<attached: …>``.
BEFORE_NAME = frozenset(
    {
        *("attached", "adjunto", "anhang", "angehängt", "pièce jointe", "fichier joint", "anexado"),
        *("anexo", "allegato", "bijgevoegd", "bijlage", "bifogad", "bifogat", "vedlagt"),
        *("vedhæftet", "liite", "liitetty", "ekli", "ek", "załącznik", "załączono", "příloha"),
        *("príloha", "прикреплено", "вложение", "додано", "csatolva", "melléklet", "atașat"),
        *("terlampir", "dilampirkan", "مرفق", "المرفق", "מצורף", "添付ファイル", "添付", "附件"),
        *("첨부됨", "첨부", "संलग्न", "đính kèm", "ไฟล์แนบ"),
    }
)

#: What stands for words that were taken back.
DELETED = frozenset(
    {
        *("this message was deleted", "you deleted this message", "message deleted"),
        *("se eliminó este mensaje", "eliminaste este mensaje", "este mensaje fue eliminado"),
        *("este mensaje se eliminó", "diese nachricht wurde gelöscht"),
        *("du hast diese nachricht gelöscht", "ce message a été supprimé"),
        *("vous avez supprimé ce message", "mensagem apagada", "você apagou esta mensagem"),
        *("esta mensagem foi apagada", "apagaste esta mensagem", "apagou esta mensagem"),
        *("questo messaggio è stato eliminato", "hai eliminato questo messaggio"),
        *("dit bericht is verwijderd", "je hebt dit bericht verwijderd"),
        *("данное сообщение удалено", "вы удалили данное сообщение", "сообщение удалено"),
        *("bu mesaj silindi", "bu mesajı sildiniz", "ta wiadomość została usunięta"),
    }
)
_DELETED_BY_ADMIN = ("deleted by admin", "this message was deleted by admin")

#: What stands for words, or a file, that had not come to the phone when the chat was exported.
NOT_THERE_YET = frozenset(
    {
        "waiting for this message. this may take a while",
        "esperando este mensaje. esto puede tomar tiempo",
        "esperando el mensaje. esto puede tardar",
        "warte auf diese nachricht. dies kann eine weile dauern",
        "en attente de ce message. cela peut prendre du temps",
        "aguardando mensagem. essa ação pode levar alguns instantes",
        "in attesa del messaggio. potrebbe richiedere qualche minuto",
        "wachten op dit bericht. dit kan even duren",
    }
)

#: How the sentence begins that stands for a photo, video or voice message that is shown only once.
VIEW_ONCE = (
    *("you received a view once ", "you sent a view once ", "view once "),
    *("recibiste un mensaje de visualización única", "enviaste un mensaje de visualización única"),
    *("recibiste una foto de visualización única", "enviaste una foto de visualización única"),
    *("recibiste un video de visualización única", "enviaste un video de visualización única"),
    *("du hast eine nachricht zur einmaligen ansicht", "du hast ein foto zur einmaligen ansicht"),
    *("du hast ein video zur einmaligen ansicht", "du hast eine einmalig"),
    *("vous avez reçu un message à vue unique", "vous avez envoyé un message à vue unique"),
    *("vous avez reçu une photo à vue unique", "vous avez envoyé une photo à vue unique"),
    *("você recebeu uma mensagem de visualização única", "você recebeu uma foto de visualização"),
    *("você enviou uma mensagem de visualização única", "você enviou uma foto de visualização"),
    *("hai ricevuto un messaggio visualizzabile una volta", "hai ricevuto una foto visualizzabile"),
    *("hai inviato un messaggio visualizzabile una volta", "hai inviato una foto visualizzabile"),
    *("je hebt een eenmalig", "je hebt een bericht ontvangen dat je maar één keer"),
)

LIVE_LOCATION = frozenset(
    {
        *("live location shared", "ubicación en tiempo real compartida", "live-standort geteilt"),
        *("live-standort wird geteilt", "localisation en direct partagée"),
        *("position en direct partagée", "localização em tempo real compartilhada"),
        *("posizione in tempo reale condivisa", "live locatie gedeeld"),
    }
)

#: Behind the text, in angle brackets.
EDITED = frozenset(
    {
        *("this message was edited", "se editó este mensaje", "este mensaje fue editado"),
        *("diese nachricht wurde bearbeitet", "ce message a été modifié", "mensagem editada"),
        *("esta mensagem foi editada", "questo messaggio è stato modificato"),
        *("dit bericht is bewerkt", "данное сообщение изменено", "сообщение изменено"),
        *("bu mesaj düzenlendi", "ta wiadomość została edytowana"),
    }
)


def is_deleted(said: str) -> bool:
    """Whether ``said``, in small letters, stands for words that were taken back."""
    return said in DELETED or said.startswith(_DELETED_BY_ADMIN)


def is_not_there_yet(said: str) -> bool:
    """Whether ``said``, in small letters, stands for words that had not come yet."""
    return said in NOT_THERE_YET


def is_view_once(said: str) -> bool:
    """Whether ``said``, in small letters, stands for a file that is shown only once."""
    return said.startswith(VIEW_ONCE)


def is_live_location(said: str) -> bool:
    """Whether ``said``, in small letters, tells that the sender showed where they went."""
    return said in LIVE_LOCATION
