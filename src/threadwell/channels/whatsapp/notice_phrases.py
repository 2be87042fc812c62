"""The sentences that WhatsApp itself writes into an export, in the languages that we have met.

``{who}`` stands for somebody of the chat, ``{}`` for anything. All in small letters and without a
full stop at the end. A sentence that is missing here costs a line in quarantine and nothing else:
what is no sentence of these is never taken for one.
"""

from __future__ import annotations

_ENGLISH = """
messages and calls are end-to-end encrypted{}
messages and calls are now end-to-end encrypted{}
messages to this chat and calls are now secured with end-to-end encryption{}
messages to this group are now secured with end-to-end encryption{}
messages you send to this chat and calls are now secured with end-to-end encryption{}
messages you send to this group are now secured with end-to-end encryption{}
messages you send to yourself are end-to-end encrypted{}
your security code with {who} changed{}
{who}'s security code changed{}
this chat is with a business account{}
this chat is with an official business account{}
this business account has now registered as a standard account{}
this business is now using a secure service{}
this business uses a secure service{}
this business uses other companies{}
this business works with other companies{}
{who} is a business account
{who} is a contact
you turned on disappearing messages{}
you turned off disappearing messages{}
you updated the message timer{}
you use a default timer for disappearing messages{}
{who} turned on disappearing messages{}
{who} turned off disappearing messages{}
{who} updated the message timer{}
{who} uses a default timer for disappearing messages{}
disappearing messages were turned on{}
disappearing messages were turned off{}
the message timer was updated{}
you turned on advanced chat privacy{}
you turned off advanced chat privacy{}
{who} turned on advanced chat privacy{}
{who} turned off advanced chat privacy{}
you blocked this contact{}
you unblocked this contact{}
you blocked this business{}
you unblocked this business{}
you created this group
you created group {}
{who} created this group
{who} created group {}
{who} created the group {}
you changed the subject {}
you changed the group name {}
you changed this group's icon
you changed the group description
you changed this group's settings{}
you changed the group settings{}
{who} changed the subject {}
{who} changed the group name {}
{who} changed this group's icon
{who} changed the group description
{who} changed this group's settings{}
{who} changed the group settings{}
{who} deleted this group's icon
{who} deleted the group description
you were added
you added {}
{who} added {}
{who} was added
{who} were added
you left
you joined using {}
{who} left
{who} left the group
{who} joined using this group's invite link
{who} joined using an invite link
{who} joined using your invite
{who} joined from the community
{who} requested to join{}
you removed {}
you were removed
{who} removed {}
{who} was removed
you're now an admin
you're no longer an admin
{who} is now an admin
{who} is no longer an admin
{who} changed their phone number{}
{who} changed to {}
you changed your phone number{}
you pinned a message
you unpinned a message
{who} pinned a message
{who} unpinned a message
{who} started a call
{who} started a video call
{who} added this group to the community{}
missed voice call
missed voice call, {}
missed voice call. {}
missed video call
missed video call, {}
missed video call. {}
missed group voice call
missed group voice call, {}
missed group video call
missed group video call, {}
voice call, {}
voice call. {}
video call, {}
video call. {}
group call, {}
group call. {}
silenced voice call
silenced voice call, {}
silenced voice call. {}
silenced video call
silenced video call, {}
silenced video call. {}
call failed, {}
call failed. {}
"""

_SPANISH = """
los mensajes y las llamadas están cifrados de extremo a extremo{}
los mensajes y llamadas están cifrados de extremo a extremo{}
los mensajes a este chat y las llamadas ahora están protegidos con cifrado{}
los mensajes que envías a este grupo ahora están protegidos con cifrado{}
cambió tu código de seguridad con {who}{}
tu código de seguridad con {who} cambió{}
el código de seguridad de {who} cambió{}
este chat es con una cuenta de empresa{}
esta empresa usa un servicio seguro{}
esta empresa trabaja con otras empresas{}
{who} es un contacto
activaste los mensajes temporales{}
desactivaste los mensajes temporales{}
actualizaste la duración de los mensajes temporales{}
{who} activó los mensajes temporales{}
{who} desactivó los mensajes temporales{}
{who} actualizó la duración de los mensajes temporales{}
bloqueaste a este contacto{}
desbloqueaste a este contacto{}
creaste el grupo {}
creaste este grupo
{who} creó el grupo {}
{who} creó este grupo
cambiaste el asunto {}
cambiaste el nombre del grupo {}
cambiaste el ícono de este grupo
cambiaste la descripción del grupo
{who} cambió el asunto {}
{who} cambió el nombre del grupo {}
{who} cambió el ícono de este grupo
{who} cambió el icono de este grupo
{who} cambió la descripción del grupo
te añadieron
se te añadió al grupo
{who} te añadió
{who} te agregó
{who} añadió a {}
{who} agregó a {}
añadiste a {}
agregaste a {}
te uniste {}
{who} se unió {}
{who} salió del grupo
{who} salió
{who} ha salido
eliminaste a {}
{who} eliminó a {}
ahora eres admin. del grupo
{who} ahora es admin. del grupo
{who} cambió su número de teléfono{}
{who} cambió a {}
{who} fijó un mensaje
fijaste un mensaje
llamada perdida
llamada perdida, {}
llamada perdida. {}
llamada de voz perdida
llamada de voz perdida, {}
llamada de voz perdida. {}
videollamada perdida
videollamada perdida, {}
videollamada perdida. {}
llamada de voz, {}
llamada de voz. {}
videollamada, {}
videollamada. {}
"""

_GERMAN = """
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
du hast {} hinzugefügt
{who} hat {} hinzugefügt
{who} wurde hinzugefügt
{who} ist der gruppe {} beigetreten
{who} ist über {} beigetreten
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

_FRENCH = """
les messages et les appels sont chiffrés de bout en bout{}
les messages et appels sont chiffrés de bout en bout{}
les messages envoyés dans ce groupe sont désormais protégés{}
les messages et les appels de cette discussion sont désormais protégés{}
votre code de sécurité avec {who} a changé{}
le code de sécurité de {who} a changé{}
cette discussion est avec un compte professionnel{}
cette entreprise utilise un service sécurisé{}
cette entreprise travaille avec d'autres entreprises{}
{who} est un contact
vous avez activé les messages éphémères{}
vous avez désactivé les messages éphémères{}
{who} a activé les messages éphémères{}
{who} a désactivé les messages éphémères{}
{who} a mis à jour la durée des messages{}
vous avez mis à jour la durée des messages{}
vous avez bloqué ce contact{}
vous avez débloqué ce contact{}
vous avez créé le groupe {}
vous avez créé ce groupe
{who} a créé le groupe {}
{who} a créé ce groupe
vous avez changé le sujet {}
vous avez modifié le nom du groupe {}
{who} a changé le sujet {}
{who} a changé le nom du groupe {}
{who} a modifié le nom du groupe {}
{who} a changé l'icône de ce groupe
{who} a changé la description du groupe
{who} a modifié la description du groupe
vous avez été ajouté
vous avez été ajouté(e)
vous avez ajouté {}
{who} vous a ajouté
{who} a ajouté {}
{who} a été ajouté
{who} a rejoint {}
{who} a quitté le groupe
{who} est parti
{who} est parti(e)
vous avez retiré {}
{who} a retiré {}
{who} a supprimé {}
vous êtes maintenant admin
{who} est maintenant admin
{who} a changé de numéro de téléphone{}
{who} a épinglé un message
appel vocal manqué
appel vocal manqué, {}
appel vocal manqué. {}
appel vidéo manqué
appel vidéo manqué, {}
appel vidéo manqué. {}
appel vocal, {}
appel vocal. {}
appel vidéo, {}
appel vidéo. {}
"""

_PORTUGUESE = """
as mensagens e as ligações são protegidas com a criptografia de ponta a ponta{}
as mensagens e ligações são protegidas com a criptografia de ponta a ponta{}
as mensagens e as chamadas são encriptadas ponto a ponto{}
as mensagens e chamadas são encriptadas ponto a ponto{}
as mensagens que você enviar {} agora são protegidas com a criptografia{}
seu código de segurança com {who} mudou{}
o código de segurança de {who} mudou{}
esta conversa é com uma conta comercial{}
esta empresa usa um serviço seguro{}
esta empresa trabalha com outras empresas{}
{who} é um contato
você ativou as mensagens temporárias{}
você desativou as mensagens temporárias{}
você atualizou a duração das mensagens{}
{who} ativou as mensagens temporárias{}
{who} desativou as mensagens temporárias{}
{who} atualizou a duração das mensagens{}
você bloqueou este contato{}
você desbloqueou este contato{}
você criou o grupo {}
{who} criou o grupo {}
{who} criou este grupo
você mudou o nome {}
{who} mudou o nome {}
{who} alterou o nome {}
{who} mudou a imagem do grupo
{who} mudou a descrição do grupo
{who} alterou a descrição do grupo
você foi adicionado
você foi adicionado(a)
você adicionou {}
{who} adicionou {}
{who} foi adicionado
{who} foi adicionado(a)
{who} entrou {}
{who} saiu
{who} saiu do grupo
você removeu {}
{who} removeu {}
{who} foi removido
agora você é um admin
{who} agora é um admin
{who} mudou o número de telefone{}
{who} fixou uma mensagem
chamada de voz perdida
chamada de voz perdida, {}
chamada de voz perdida. {}
ligação de voz perdida
ligação de voz perdida, {}
ligação de voz perdida. {}
chamada de vídeo perdida
chamada de vídeo perdida, {}
ligação de vídeo perdida
ligação de vídeo perdida, {}
ligação de voz, {}
chamada de voz, {}
ligação de vídeo, {}
chamada de vídeo, {}
"""

_ITALIAN = """
i messaggi e le chiamate sono crittografati end-to-end{}
i messaggi e le chiamate in questa chat sono ora protetti{}
i messaggi inviati a questo gruppo sono ora protetti{}
il tuo codice di sicurezza con {who} è cambiato{}
il codice di sicurezza di {who} è cambiato{}
questa è una chat con un account business{}
questa azienda usa un servizio sicuro{}
questa attività usa un servizio sicuro{}
{who} è un contatto
hai attivato i messaggi effimeri{}
hai disattivato i messaggi effimeri{}
{who} ha attivato i messaggi effimeri{}
{who} ha disattivato i messaggi effimeri{}
{who} ha aggiornato la durata dei messaggi{}
hai bloccato questo contatto{}
hai sbloccato questo contatto{}
hai creato il gruppo {}
{who} ha creato il gruppo {}
{who} ha creato questo gruppo
{who} ha cambiato l'oggetto {}
{who} ha modificato l'oggetto {}
{who} ha cambiato il nome del gruppo {}
{who} ha cambiato l'immagine di questo gruppo
{who} ha cambiato la descrizione del gruppo
sei stato aggiunto
sei stato aggiunto/a
hai aggiunto {}
{who} ti ha aggiunto
{who} ha aggiunto {}
{who} è entrato {}
{who} ha abbandonato
{who} ha abbandonato il gruppo
hai rimosso {}
{who} ha rimosso {}
ora sei amministratore
{who} ora è amministratore
{who} ha cambiato numero di telefono{}
{who} ha fissato un messaggio
chiamata vocale persa
chiamata vocale persa, {}
chiamata vocale persa. {}
videochiamata persa
videochiamata persa, {}
videochiamata persa. {}
chiamata vocale, {}
chiamata vocale. {}
videochiamata, {}
videochiamata. {}
"""

_DUTCH = """
berichten en gesprekken worden end-to-end versleuteld{}
berichten en oproepen zijn end-to-end versleuteld{}
berichten in deze chat en oproepen zijn nu beveiligd{}
berichten die je naar deze groep verzendt zijn nu beveiligd{}
je beveiligingscode voor {who} is gewijzigd{}
de beveiligingscode van {who} is gewijzigd{}
je beveiligingscode met {who} is gewijzigd{}
deze chat is met een zakelijk account{}
dit bedrijf gebruikt een beveiligde service{}
{who} is een contact
je hebt berichten met vervaltijd ingeschakeld{}
je hebt zelfverwijderende berichten ingeschakeld{}
{who} heeft zelfverwijderende berichten ingeschakeld{}
{who} heeft zelfverwijderende berichten uitgeschakeld{}
{who} heeft de berichtentimer bijgewerkt{}
je hebt dit contact geblokkeerd{}
je hebt dit contact gedeblokkeerd{}
je hebt de groep {} gemaakt
{who} heeft de groep {} gemaakt
{who} heeft groep {} aangemaakt
{who} heeft het onderwerp gewijzigd {}
{who} heeft de groepsnaam gewijzigd {}
{who} heeft de groepsafbeelding gewijzigd
{who} heeft de groepsomschrijving gewijzigd
{who} heeft de groepsbeschrijving gewijzigd
je bent toegevoegd
je hebt {} toegevoegd
{who} heeft {} toegevoegd
{who} is toegevoegd
{who} is lid geworden {}
{who} heeft de groep verlaten
{who} neemt niet meer deel
je hebt {} verwijderd
{who} heeft {} verwijderd
je bent nu beheerder
{who} is nu beheerder
{who} heeft een nieuw telefoonnummer{}
{who} heeft een bericht vastgezet
gemiste spraakoproep
gemiste spraakoproep, {}
gemiste spraakoproep. {}
gemiste video-oproep
gemiste video-oproep, {}
gemiste video-oproep. {}
spraakoproep, {}
spraakoproep. {}
video-oproep, {}
video-oproep. {}
"""

#: One line, one sentence.
SENTENCES = tuple(
    line
    for language in (_ENGLISH, _SPANISH, _GERMAN, _FRENCH, _PORTUGUESE, _ITALIAN, _DUTCH)
    for line in language.strip().splitlines()
)

#: Of calls, which Android writes in the name of who called, and without its mark.
CALLS = frozenset(line for line in SENTENCES if f"{line}, {{}}" in SENTENCES)
