"""What WhatsApp itself writes into an export, in the languages that we have met.

A phrase that is missing here costs a placeholder that stays in the text; nothing is lost by it.
"""

from __future__ import annotations

import re

#: In place of a file that the export was made without.
OMITTED = re.compile(
    r"\u200e?(?:<(?:Media omitted|Multimedia omitido|Archivo omitido|Medien ausgeschlossen"
    r"|Médias omis|Fichier omis|Arquivo de mídia oculto|Mídia oculta|Ficheiro não revelado"
    r"|Media omessi|Media weggelaten|Media utelämnat|Media utelatt|Medya dahil edilmedi"
    r"|Pominięto multimedia|Без медиафайлов)>"
    r"|\u200e(?P<kind>image|video|audio|GIF|sticker|document|Contact card|video note) omitted"
    r"|\u200e(?:imagen|vídeo|audio|sticker|documento|GIF) (?:omitid[oa]|ocultad[oa])"
    r"|\u200e(?:Bild|Video|Audio|Sticker|Dokument|GIF) weggelassen"
    r"|\u200e(?:image|vidéo|audio|sticker|document|GIF) (?:absent[e]?|omis[e]?))",
    re.IGNORECASE,
)

#: A file that came along, as iOS and as Android name it. No name reaches out of its folder.
ATTACHED = re.compile(
    r"\u200e?<[^\W\d_][\w\u00a0 ]{2,24}?\s?: ?"
    r"(?P<ios>[^<>\n/\\]+\.\w{1,8})>"
    r"|^\u200e?(?P<android>[^<>\n/\\]+\.\w{1,8}) \((?:file attached|archivo adjunto"
    r"|Datei angehängt|fichier joint|file allegato|arquivo anexado|ficheiro anexado"
    r"|bestand bijgevoegd|bifogad fil|fil vedlagt|dosya ekli|plik dołączony|файл добавлен)\)$",
    re.MULTILINE,
)

#: What iOS says of a document that came along, before its name.
PAGES = re.compile(r"^[^\n<>\u2022]{1,200}\u2022 \u200e?\d{1,6} \w{1,20} ?$", re.MULTILINE)

DELETED = re.compile(
    r"\u200e?(?:This message was deleted|You deleted this message|Deleted by admin.*"
    r"|Se eliminó este mensaje|Eliminaste este mensaje|Diese Nachricht wurde gelöscht"
    r"|Du hast diese Nachricht gelöscht|Ce message a été supprimé"
    r"|Vous avez supprimé ce message|Mensagem apagada|Você apagou esta mensagem"
    r"|Questo messaggio è stato eliminato|Dit bericht is verwijderd)\.?",
    re.IGNORECASE,
)

EDITED = re.compile(
    r"\u200e?<(?:This message was edited|Se editó este mensaje|Se editó este mensaje\."
    r"|Diese Nachricht wurde bearbeitet\.?|Ce message a été modifié|Mensagem editada"
    r"|Questo messaggio è stato modificato|Dit bericht is bewerkt)>$",
    re.IGNORECASE,
)

#: Of the chat, not of anybody in it. Looked for in lines that bear no name or that begin their
#: text with a mark of direction, so that a patient may write any of it.
SYSTEM = re.compile(
    r"end-to-end encrypted|are now secured with|Tap to learn more|created (?:this )?group"
    r"|changed (?:the subject|the group|this group|their phone number|to \+)"
    r"|security code|Missed (?:group )?(?:voice|video) call|^\u200e?(?:Voice|Video) call[.,]"
    r"|(?:was|were) added$| added | left$|removed |joined using|an admin$|pinned a message"
    r"|disappearing messages|blocked this contact|is a contact|business account"
    r"|secure service from Meta|cifrados de extremo a extremo|Ende-zu-Ende-verschlüsselt"
    r"|chiffrés de bout en bout|criptografia de ponta a ponta|crittografati end-to-end",
    re.IGNORECASE,
)
