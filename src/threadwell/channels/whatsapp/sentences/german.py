"""What WhatsApp says of a chat in German: one sentence on a line."""

LINES = """
nachrichten und anrufe sind ende-zu-ende-verschlüsselt{}
nachrichten in diesem chat sowie anrufe sind jetzt mit ende-zu-ende-verschlüsselung geschützt{}
nachrichten, die du in dieser gruppe sendest, sind jetzt mit ende-zu-ende-verschlüsselung{}
nachrichten in dieser gruppe sind jetzt mit ende-zu-ende-verschlüsselung{}
deine sicherheitsnummer für {who} hat sich geändert{}
die sicherheitsnummer von {who} hat sich geändert{}
dies ist ein chat mit einem unternehmenskonto{}
dieses unternehmen nutzt einen sicheren service{}
dieses unternehmen arbeitet mit anderen unternehmen{}
{who} ist ein kontakt
du hast selbstlöschende nachrichten aktiviert{}
du hast selbstlöschende nachrichten deaktiviert{}
du hast die nachrichtendauer aktualisiert{}
{who} hat selbstlöschende nachrichten aktiviert{}
{who} hat selbstlöschende nachrichten deaktiviert{}
{who} hat die nachrichtendauer aktualisiert{}
du hast diesen kontakt blockiert{}
du hast diesen kontakt freigegeben{}
du hast die gruppe {} erstellt
du hast diese gruppe erstellt
{who} hat die gruppe {} erstellt
{who} hat diese gruppe erstellt
du hast den betreff {}
du hast den gruppennamen {}
du hast das gruppenbild geändert
du hast die gruppenbeschreibung geändert
{who} hat den betreff {}
{who} hat den gruppennamen {}
{who} hat das gruppenbild geändert
{who} hat die gruppenbeschreibung geändert
{who} hat die gruppen-einstellungen {}
du wurdest hinzugefügt
du hast {new} hinzugefügt
{who} hat {new} hinzugefügt
{joiner} wurde hinzugefügt
{joiner} ist der gruppe {} beigetreten
{joiner} ist über {} beigetreten
du bist der gruppe {} beigetreten
{who} hat die gruppe verlassen
du hast die gruppe verlassen
du hast {} entfernt
{who} hat {} entfernt
{who} wurde entfernt
du bist jetzt ein admin
{who} ist jetzt ein admin
{who} hat die telefonnummer gewechselt{}
{who} hat zu {} gewechselt
{who} hat eine nachricht fixiert
{who} hat eine nachricht angepinnt
verpasster sprachanruf
verpasster sprachanruf, {}
verpasster sprachanruf. {}
verpasster videoanruf
verpasster videoanruf, {}
verpasster videoanruf. {}
stummgeschalteter sprachanruf, {}
stummgeschalteter videoanruf, {}
sprachanruf, {}
sprachanruf. {}
videoanruf, {}
videoanruf. {}
"""
