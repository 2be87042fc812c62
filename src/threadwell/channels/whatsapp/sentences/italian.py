"""What WhatsApp says of a chat in Italian: one sentence on a line."""

LINES = """
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
hai aggiunto {new}
{who} ti ha aggiunto
{who} ha aggiunto {new}
{joiner} è entrato {}
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
