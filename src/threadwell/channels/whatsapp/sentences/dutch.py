"""What WhatsApp says of a chat in Dutch: one sentence on a line."""

LINES = """
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
je hebt {new} toegevoegd
{who} heeft {new} toegevoegd
{joiner} is toegevoegd
{joiner} is lid geworden {}
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
